//! This server as the relying party of Web Authentication: the only user of webauthn-rs.
//!
//! What goes to browsers and comes from them is JSON as `PublicKeyCredential` reads and writes it (Web Authentication,
//! level 3, sections 5.1.8 to 5.1.10); what must be remembered in between is JSON, too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Webauthn, WebauthnBuilder, WebauthnError,
};

use super::LIFE;

/// What people see when they are asked to use a passkey.
const NAME: &str = "MindFlow";
/// The longest id of a credential, in bytes (Web Authentication, level 3, section 4, *credential ID*).
const LONGEST_ID: usize = 1023;

/// Why a server cannot have passkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPasskeysError {
    /// Browsers make passkeys for names, never for addresses.
    #[error("passkeys need a name for the server; its public URL holds an IP address")]
    Address,
    /// Browsers use passkeys over TLS only, `localhost` aside.
    #[error("passkeys need https; the server's public URL has none")]
    Insecure,
}

/// Why what a browser sent is no good; told to nobody but the log.
#[derive(Debug, thiserror::Error)]
pub(in crate::accounts) enum PasskeyError {
    /// It is no credential as browsers write it.
    #[error("it is no credential")]
    Malformed,
    /// It breaks a rule of Web Authentication.
    #[error("the ceremony failed")]
    Broken(#[source] WebauthnError),
    /// What was remembered cannot be read.
    #[error("what was remembered cannot be read")]
    Memory(#[from] serde_json::Error),
}

impl PasskeyError {
    /// A word for the activity log.
    pub(in crate::accounts) const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Memory(_) => "unreadable",
            Self::Broken(WebauthnError::InvalidRPOrigin | WebauthnError::CredentialCrossOrigin) => "origin",
            Self::Broken(WebauthnError::InvalidRPIDHash) => "host",
            Self::Broken(WebauthnError::MismatchedChallenge) => "challenge",
            Self::Broken(WebauthnError::UserNotVerified | WebauthnError::UserNotPresent) => "user_not_verified",
            Self::Broken(WebauthnError::CredentialPossibleCompromise) => "counter",
            Self::Broken(WebauthnError::AuthenticationFailure) => "signature",
            Self::Broken(_) => "rule",
        }
    }
}

/// What a browser is asked, and what must be remembered until it answers.
pub(in crate::accounts) struct Asked {
    pub(in crate::accounts) options: Value,
    pub(in crate::accounts) state: Value,
}

/// Who a passkey is made for.
pub(in crate::accounts) struct Person<'a> {
    pub(in crate::accounts) id: Uuid,
    pub(in crate::accounts) email: &'a str,
    pub(in crate::accounts) name: &'a str,
    /// The ids of the credentials that they have.
    pub(in crate::accounts) known: Vec<Vec<u8>>,
}

/// A passkey that was made.
pub(in crate::accounts) struct Made {
    pub(in crate::accounts) credential_id: Vec<u8>,
    pub(in crate::accounts) credential: String,
}

/// A passkey that was used.
pub(in crate::accounts) struct Used {
    pub(in crate::accounts) sign_count: u32,
    /// As it is from now on.
    pub(in crate::accounts) credential: String,
    /// Whether it can leave the device on which it was made.
    pub(in crate::accounts) leaves_device: bool,
}

/// An answer that names its credential and person; nothing of it is proved.
pub(in crate::accounts) struct Claim {
    answer: PublicKeyCredential,
    pub(in crate::accounts) user: Uuid,
}

impl Claim {
    pub(in crate::accounts) fn credential_id(&self) -> &[u8] {
        self.answer.get_credential_id()
    }
}

/// This server for Web Authentication, if it can be one.
pub(in crate::accounts) struct RelyingParty(Result<Party, NoPasskeysError>);

/// One that can.
pub(in crate::accounts) struct Party {
    webauthn: Webauthn,
    host: String,
}

impl RelyingParty {
    /// The server with this public URL.
    pub(in crate::accounts) fn of(public_url: &str) -> Self {
        Self(Party::of(public_url))
    }

    pub(in crate::accounts) const fn get(&self) -> Result<&Party, NoPasskeysError> {
        match &self.0 {
            Ok(party) => Ok(party),
            Err(error) => Err(*error),
        }
    }
}

impl Party {
    fn of(public_url: &str) -> Result<Self, NoPasskeysError> {
        let url = Url::parse(public_url).map_err(|_| NoPasskeysError::Address)?;
        let Some(Host::Domain(host)) = url.host() else { return Err(NoPasskeysError::Address) };
        // Secure Contexts, section 3.1.
        let here = host == "localhost" || host.ends_with(".localhost");
        if url.scheme() != "https" && !here {
            return Err(NoPasskeysError::Insecure);
        }
        let builder = WebauthnBuilder::new(host, &url).map(|builder| builder.rp_name(NAME).timeout(LIFE));
        let webauthn = builder.and_then(WebauthnBuilder::build).map_err(|_| NoPasskeysError::Address)?;
        Ok(Self { webauthn, host: host.to_owned() })
    }

    /// The host for which passkeys are made: the relying party's id.
    pub(in crate::accounts) fn host(&self) -> &str {
        &self.host
    }

    /// Asks for a new passkey, which the browser can find without being told whose it is.
    pub(in crate::accounts) fn begin_registration(&self, person: Person<'_>) -> Result<Asked, PasskeyError> {
        let begun = self.webauthn.start_passkey_registration(person.id, person.email, person.name, Some(person.known));
        let (options, state) = begun.map_err(PasskeyError::Broken)?;
        let mut asked = asked(&options, &state)?;
        // The library leaves it to the authenticator; without it nobody could sign in who does not say who they are.
        asked.options["authenticatorSelection"]["residentKey"] = json!("required");
        asked.options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok(asked)
    }

    /// Takes the answer.
    pub(in crate::accounts) fn finish_registration(&self, answer: &Value, state: Value) -> Result<Made, PasskeyError> {
        let answer: RegisterPublicKeyCredential = read(answer, &["attestationObject", "clientDataJSON"])?;
        let state: PasskeyRegistration = serde_json::from_value(state)?;
        let made = self.webauthn.finish_passkey_registration(&answer, &state).map_err(PasskeyError::Broken)?;
        // The id that counts is the one that the authenticator signed.
        let credential_id = made.cred_id().clone();
        if credential_id != *answer.raw_id || credential_id.len() > LONGEST_ID {
            return Err(PasskeyError::Malformed);
        }
        Ok(Made { credential_id, credential: serde_json::to_string(&made)? })
    }

    /// Asks for any passkey that was made for this server.
    pub(in crate::accounts) fn begin_sign_in(&self) -> Result<Asked, PasskeyError> {
        let (options, state) = self.webauthn.start_discoverable_authentication().map_err(PasskeyError::Broken)?;
        asked(&options, &state)
    }

    /// Reads an answer, and whose passkey it says that it is.
    pub(in crate::accounts) fn claim(&self, answer: &Value) -> Result<Claim, PasskeyError> {
        let answer: PublicKeyCredential =
            read(answer, &["authenticatorData", "clientDataJSON", "signature", "userHandle"])?;
        let identified = self.webauthn.identify_discoverable_authentication(&answer);
        let (user, _) = identified.map_err(PasskeyError::Broken)?;
        Ok(Claim { answer, user })
    }

    /// Proves a claim with the passkey as it is kept.
    pub(in crate::accounts) fn prove(
        &self,
        claim: &Claim,
        state: Value,
        credential: &str,
    ) -> Result<Used, PasskeyError> {
        let state: DiscoverableAuthentication = serde_json::from_value(state)?;
        let mut passkey: Passkey = serde_json::from_str(credential)?;
        let proved = self.webauthn.finish_discoverable_authentication_v2(&claim.answer, state, &passkey);
        let proved = proved.map_err(PasskeyError::Broken)?;
        passkey.update_credential(&proved);
        Ok(Used {
            sign_count: proved.counter(),
            credential: serde_json::to_string(&passkey)?,
            leaves_device: proved.backup_eligible(),
        })
    }
}

/// Takes the options out of their wrapping.
fn asked(options: &impl Serialize, state: &impl Serialize) -> Result<Asked, PasskeyError> {
    let mut options = serde_json::to_value(options)?;
    Ok(Asked { options: options["publicKey"].take(), state: serde_json::to_value(state)? })
}

/// Reads a credential from what a browser sent: the parts that matter and no others, so that what newer browsers add
/// disturbs nobody. One from a page within a page of another site is refused.
fn read<T: DeserializeOwned>(answer: &Value, parts: &[&str]) -> Result<T, PasskeyError> {
    let id = answer["rawId"].as_str().or_else(|| answer["id"].as_str()).ok_or(PasskeyError::Malformed)?;
    let other_id = answer["id"].as_str().is_some_and(|own| own != id);
    if other_id || answer["type"] != "public-key" {
        return Err(PasskeyError::Malformed);
    }
    let response = &answer["response"];
    let client_data = response["clientDataJSON"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let client_data = client_data.ok_or(PasskeyError::Malformed)?;
    let client_data: Value = serde_json::from_slice(&client_data).map_err(|_| PasskeyError::Malformed)?;
    if client_data["crossOrigin"] == true || !client_data["topOrigin"].is_null() {
        return Err(PasskeyError::Broken(WebauthnError::CredentialCrossOrigin));
    }
    let kept: serde_json::Map<String, Value> =
        parts.iter().map(|part| ((*part).to_owned(), response[*part].clone())).collect();
    let answer = json!({ "id": id, "rawId": id, "type": "public-key", "response": kept });
    serde_json::from_value(answer).map_err(|_| PasskeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_with_a_name_and_tls_can_have_passkeys() {
        for (url, host) in [
            ("https://mindflow.example", "mindflow.example"),
            ("https://Mindflow.Example:8443/below", "mindflow.example"),
            ("http://localhost:8000", "localhost"),
            ("http://mindflow.localhost", "mindflow.localhost"),
        ] {
            assert_eq!(RelyingParty::of(url).get().map(Party::host), Ok(host), "{url}");
        }
        for (url, error) in [
            ("http://127.0.0.1:8000", NoPasskeysError::Address),
            ("https://192.0.2.7", NoPasskeysError::Address),
            ("https://[::1]", NoPasskeysError::Address),
            ("http://mindflow.example", NoPasskeysError::Insecure),
            ("http://notlocalhost", NoPasskeysError::Insecure),
        ] {
            assert_eq!(RelyingParty::of(url).get().err(), Some(error), "{url}");
        }
    }

    #[test]
    fn browsers_are_asked_for_passkeys_that_they_find_and_for_the_person() {
        let party = RelyingParty::of("https://mindflow.example");
        let person = Person { id: Uuid::max(), email: "ada@example.org", name: "Ada", known: vec![vec![1, 2, 3]] };

        let made = party.get().unwrap().begin_registration(person).unwrap().options;
        let used = party.get().unwrap().begin_sign_in().unwrap().options;

        assert_eq!(made["rp"], json!({ "name": "MindFlow", "id": "mindflow.example" }));
        assert_eq!(made["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(made["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(
            (&made["user"]["name"], &made["excludeCredentials"][0]["id"]),
            (&json!("ada@example.org"), &json!("AQID"))
        );
        assert_eq!((&used["rpId"], &used["userVerification"]), (&json!("mindflow.example"), &json!("required")));
        assert_eq!((&used["allowCredentials"], used["timeout"].as_u64()), (&json!([]), Some(300_000)));
    }

    #[test]
    fn only_what_is_a_credential_is_read() {
        let party = RelyingParty::of("https://mindflow.example");
        for answer in
            [json!(null), json!(5), json!([]), json!({}), json!({ "id": "AQ", "rawId": "Ag", "type": "public-key" })]
        {
            assert!(matches!(party.get().unwrap().claim(&answer), Err(PasskeyError::Malformed)), "{answer}");
        }
    }
}
