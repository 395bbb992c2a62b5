//! Signed URLs: whoever has one may fetch the file until its time has passed, without a token.
//!
//! The signature is an HMAC under the server's secret over the method, the attachment and the time, so it is good for
//! nothing else, and every instance that shares the secret knows it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::AttachmentError;
use crate::clock::Timestamp;
use crate::ids::AttachmentId;
use crate::objects::Objects;
use crate::secret_key::SecretKey;
use crate::store::StoreError;
use crate::tasks::TaskError;
use crate::tasks::attachments::Attachment;

/// What the signing key is for.
const PURPOSE: &str = "attachment url";
/// What a URL allows: `GET`, and so `HEAD`.
const METHOD: &[u8] = b"GET";

/// A way to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub url: String,
    /// From when on it leads nowhere.
    pub expires_at: Timestamp,
}

/// Why a URL is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// This server did not sign it.
    #[error("the URL is not one that this server signed")]
    Forged,
    /// Its time has passed.
    #[error("the URL's time has passed")]
    Expired,
}

/// Signs URLs and knows them again.
#[derive(Clone)]
pub struct Links {
    secret: SecretKey,
    public_url: String,
    life: Duration,
    /// Set when URLs shall lead to the bucket itself.
    bucket: Option<Objects>,
}

impl Links {
    /// Links below `public_url` that work for `life`; to `bucket` itself, where there is one that signs.
    pub const fn new(secret: SecretKey, public_url: String, life: Duration, bucket: Option<Objects>) -> Self {
        Self { secret, public_url, life, bucket }
    }

    /// A URL of the attachment's file.
    ///
    /// # Errors
    ///
    /// When nothing can be signed.
    pub async fn to(&self, attachment: &Attachment, now: Timestamp) -> Result<Link, AttachmentError> {
        let expires_at = now.plus(self.life);
        if let Some(bucket) = &self.bucket {
            let disposition = disposition(&attachment.file_name);
            let headers =
                [("content-disposition", disposition.as_str()), ("content-type", attachment.media_type.as_str())];
            if let Some(url) = bucket.signed_url(&attachment.object_key, self.life, &headers).await? {
                return Ok(Link { url, expires_at });
            }
        }
        let expires = expires_at.as_seconds();
        let signature = self.secret.mac(PURPOSE, &signed(&attachment.id, &expires.to_be_bytes()));
        let signature = signature.map_err(|_| TaskError::from(StoreError::Dropped))?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let url = format!("{}/files/{}?expires={expires}&signature={signature}", self.public_url, attachment.id);
        Ok(Link { url, expires_at: Timestamp::from_micros(expires * 1_000_000) })
    }

    /// Whether a URL with these parameters is one that was signed and still good; as long for a wrong signature as for
    /// a right one.
    ///
    /// # Errors
    ///
    /// [`LinkError`].
    pub fn check(&self, id: AttachmentId, expires: &str, signature: &str, now: Timestamp) -> Result<(), LinkError> {
        let seconds: i64 = expires.parse().map_err(|_| LinkError::Forged)?;
        let tag = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LinkError::Forged)?;
        // One spelling of a moment only: what was signed comes back as it was written.
        let spelled = seconds.to_string() == expires;
        if !spelled || !self.secret.mac_matches(PURPOSE, &signed(&id, &seconds.to_be_bytes()), &tag) {
            return Err(LinkError::Forged);
        }
        if now.as_seconds() >= seconds { Err(LinkError::Expired) } else { Ok(()) }
    }
}

fn signed<'a>(id: &'a AttachmentId, expires: &'a [u8; 8]) -> [&'a [u8]; 3] {
    [METHOD, id.0.as_bytes(), expires]
}

/// `Content-Disposition` of a download (RFC 6266): a name in ASCII for old clients, and the real one (RFC 8187).
pub fn disposition(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')' | '+' | ',');
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded = percent_encoding::utf8_percent_encode(name, ATTR_CHAR);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// All but `attr-char` (RFC 8187, section 3.2.1).
const ATTR_CHAR: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TaskId;
    use uuid::Uuid;

    fn links(secret: &str) -> Links {
        Links::new(SecretKey::new(&secret.repeat(32)), "https://m.example".to_owned(), Duration::from_mins(15), None)
    }

    fn attachment(number: u128) -> Attachment {
        Attachment {
            id: AttachmentId(Uuid::from_u128(number)),
            task_id: TaskId(Uuid::nil()),
            object_key: "a".to_owned(),
            file_name: "a.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            size_bytes: 1,
            sha256: [0; 32],
            created_at: Timestamp::MIN,
            deleted_at: None,
            gone_at: None,
        }
    }

    #[tokio::test]
    async fn a_link_is_good_for_its_attachment_and_its_time_alone() {
        let (ours, one) = (links("k"), attachment(1));
        let now = Timestamp::from_micros(1_000_000_500_000);
        let link = ours.to(&one, now).await.unwrap();
        let query = link.url.split_once('?').unwrap().1;
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap();
        let (expires, signature) = (value("expires="), value("signature="));

        let check = |links: &Links, id, expires: &str, signature: &str, now| links.check(id, expires, signature, now);

        assert_eq!(check(&ours, one.id, expires, signature, now), Ok(()));
        let last = Timestamp::from_micros(link.expires_at.as_micros() - 1);
        assert_eq!(check(&ours, one.id, expires, signature, last), Ok(()));
        assert_eq!(check(&ours, one.id, expires, signature, link.expires_at), Err(LinkError::Expired));
        let later = (expires.parse::<i64>().unwrap() + 60).to_string();
        let cut = &signature[..signature.len() - 2];
        for (links, id, expires, signature) in [
            (&links("l"), one.id, expires, signature),
            (&ours, attachment(2).id, expires, signature),
            (&ours, one.id, later.as_str(), signature),
            (&ours, one.id, &format!("+{expires}"), signature),
            (&ours, one.id, &format!("0{expires}"), signature),
            (&ours, one.id, "", signature),
            (&ours, one.id, expires, cut),
            (&ours, one.id, expires, ""),
            (&ours, one.id, expires, "ä"),
        ] {
            assert_eq!(check(links, id, expires, signature, now), Err(LinkError::Forged), "{expires} {signature}");
        }
    }

    #[test]
    fn names_survive_the_header_and_old_clients_get_ascii() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(
            disposition("Jänner\";x=.pdf"),
            "attachment; filename=\"J_nner__x_.pdf\"; filename*=UTF-8''J%C3%A4nner%22%3Bx%3D.pdf"
        );
        assert!(disposition("報告\u{1F4A5}.docx").is_ascii());
    }
}
