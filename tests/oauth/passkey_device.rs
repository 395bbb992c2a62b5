//! A device that keeps a passkey, in software (Web Authentication, level 3, sections 6.1 and 6.5).

use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The public URL of the servers of these tests.
pub(crate) const SERVER: &str = "https://mindflow.example";

/// Its owner was there; the device made sure that it was its owner.
pub(crate) const PRESENT: u8 = 1;
pub(crate) const VERIFIED: u8 = 4;
/// The passkey can leave the device, and has.
pub(crate) const COPIED: u8 = 8 | 16;
const HAS_KEY: u8 = 64;

/// One device with one passkey. Tests change what it says.
pub(crate) struct Device {
    key: EcdsaKeyPair,
    pub(crate) id: Vec<u8>,
    /// Whose the passkey is, as the server named them.
    pub(crate) owner: Vec<u8>,
    pub(crate) counter: u32,
    pub(crate) flags: u8,
    /// The page that asks, as the browser sees it.
    pub(crate) origin: String,
    /// The host that the passkey is for.
    pub(crate) host: String,
    /// Whether the page is within another one.
    pub(crate) framed: bool,
}

impl Device {
    pub(crate) fn new() -> Self {
        let mut id = vec![0; 20];
        fill(&mut id).unwrap();
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id,
            owner: Vec::new(),
            counter: 0,
            flags: PRESENT | VERIFIED,
            origin: SERVER.to_owned(),
            host: "mindflow.example".to_owned(),
            framed: false,
        }
    }

    /// Makes the passkey that is asked for.
    pub(crate) fn make(&mut self, options: &Value) -> Value {
        self.owner = decode(options["user"]["id"].as_str().unwrap());
        let point = self.key.public_key().as_ref();
        let mut data = self.authenticator_data(self.flags | HAS_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053, sections 2.1 and 7.1.1).
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..]);
        let mut object = b"\xa3cfmtdnonegattStmt\xa0hauthData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        let client_data = self.client_data("webauthn.create", options);
        let response = json!({ "clientDataJSON": encode(&client_data), "attestationObject": encode(&object) });
        self.credential(&response)
    }

    /// Signs in.
    pub(crate) fn show(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(self.flags);
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": encode(&client_data),
            "authenticatorData": encode(&data),
            "signature": encode(signature.as_ref()),
            "userHandle": encode(&self.owner),
        });
        self.credential(&response)
    }

    fn credential(&self, response: &Value) -> Value {
        let id = encode(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "response": response,
            "authenticatorAttachment": "platform", "clientExtensionResults": { "somethingNew": { "x": 1 } },
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let (challenge, origin, framed) = (&options["challenge"], &self.origin, self.framed);
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": framed })
            .to_string()
            .into_bytes()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.host.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
