//! What a file is said to be, what its first bytes say it is, and as what it is served.
//!
//! - The two must not contradict each other: a program is not taken as a picture.
//! - What a browser would run (HTML, SVG, scripts …) is taken, but served as bytes without meaning.

use super::error::AttachmentError;

/// Enough of a file to know its kind: office documents show theirs after some thousand bytes.
pub const HEAD_BYTES: usize = 8 * 1024;
/// Bytes of no known kind.
pub const UNKNOWN: &str = "application/octet-stream";
/// What programs say that were not told what they send.
const UNSAID: [&str; 2] = ["application/x-www-form-urlencoded", "application/unknown"];
/// The longest type, in bytes.
const MAX_BYTES: usize = 127;

/// A media type without parameters, in lower case (RFC 9110, section 8.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// Reads the value of `Content-Type`; `None` for one that says nothing.
    ///
    /// # Errors
    ///
    /// [`AttachmentError::Type`] for what is no media type.
    pub fn parse(text: &str) -> Result<Option<Self>, AttachmentError> {
        let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if bare.is_empty() || UNSAID.contains(&bare.as_str()) {
            return Ok(None);
        }
        let (kind, sub) = bare.split_once('/').unwrap_or_default();
        if bare.len() > MAX_BYTES || !is_token(kind) || !is_token(sub) {
            return Err(AttachmentError::Type("must be a media type such as `application/pdf`".to_owned()));
        }
        Ok(Some(Self(bare)))
    }

    /// The type's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110, section 5.6.2, as far as media types use it (RFC 6838, section 4.2).
fn is_token(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '!' | '#' | '$' | '&' | '-' | '^' | '_' | '.' | '+');
    !text.is_empty() && text.chars().all(plain)
}

/// Whether a type is one of those that are taken; an empty list takes all.
///
/// # Errors
///
/// [`AttachmentError::Type`], which names them.
pub fn check_allowed(declared: Option<&MediaType>, allowed: &[String]) -> Result<(), AttachmentError> {
    let declared = declared.map_or(UNKNOWN, MediaType::as_str);
    let fits = |pattern: &String| match pattern.strip_suffix("/*") {
        Some(kind) => declared.split_once('/').is_some_and(|(own, _)| own == kind),
        None => pattern == declared,
    };
    if allowed.is_empty() || allowed.iter().any(fits) {
        return Ok(());
    }
    Err(AttachmentError::Type(format!("must be one of {}", allowed.join(", "))))
}

/// A kind of file that its first bytes give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    media_type: &'static str,
    extension: &'static str,
}

/// Says as what a file is served, of which `head` are the first bytes, and how one that came without a name may end.
///
/// # Errors
///
/// [`AttachmentError::Mismatch`] when the bytes say otherwise than the sender.
pub fn judge(declared: Option<&MediaType>, head: &[u8]) -> Result<(MediaType, Option<&'static str>), AttachmentError> {
    let found = look(head);
    let extension = found.map(|found| found.extension);
    let Some(declared) = declared else {
        let known = found.map(|found| found.media_type).filter(|found| is_kept_as_found(found));
        return Ok((MediaType(known.unwrap_or(UNKNOWN).to_owned()), extension));
    };
    if !agree(declared.as_str(), found, head) {
        let found = found.map_or("something else", |found| found.media_type);
        return Err(AttachmentError::Mismatch { declared: declared.0.clone(), found: found.to_owned() });
    }
    let active = is_active(declared.as_str()) || found.is_some_and(|found| is_active(found.media_type));
    let served = if active || is_markup(head) { UNKNOWN } else { declared.as_str() };
    Ok((MediaType(served.to_owned()), extension))
}

fn look(head: &[u8]) -> Option<Found> {
    infer::get(head).map(|kind| Found { media_type: kind.mime_type(), extension: kind.extension() })
}

/// Types that mean nothing but themselves, so that they may be served as what was found without being asked for.
fn is_kept_as_found(found: &str) -> bool {
    let media = ["image/", "audio/", "video/"].iter().any(|kind| found.starts_with(kind));
    media || matches!(found, "application/pdf" | "application/zip" | "application/gzip")
}

/// What browsers or their helpers run, or build a page of.
fn is_active(media_type: &str) -> bool {
    let (_, sub) = media_type.split_once('/').unwrap_or_default();
    let code = ["html", "xml", "svg", "javascript", "ecmascript", "shellscript", "x-sh", "x-csh", "flash", "hta"];
    code.iter().any(|word| sub.contains(word)) && !sub.contains("openxmlformats")
        || matches!(
            sub,
            "wasm"
                | "x-executable"
                | "vnd.microsoft.portable-executable"
                | "x-mach-binary"
                | "x-msdownload"
                | "x-msdos-program"
                | "java-archive"
                | "x-java-archive"
                | "x-java-jnlp-file"
                | "x-httpd-php"
                | "x-python"
                | "mhtml"
                | "x-mimearchive"
        )
        || matches!(media_type, "message/rfc822" | "text/css" | "text/xsl" | "text/cache-manifest" | "text/vbscript")
}

/// Whether a text begins as markup does, whatever it is said to be.
fn is_markup(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let starts = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    [&b"<svg"[..], b"<?xml", b"<!doctype", b"<html", b"<script", b"<?php", b"<math"].into_iter().any(starts)
}

/// Types with a signature of their own, and what is found where they are.
const SIGNED: &[(&str, &[&str])] = &[
    ("image/png", &["image/png"]),
    ("image/jpeg", &["image/jpeg"]),
    ("image/jpg", &["image/jpeg"]),
    ("image/gif", &["image/gif"]),
    ("image/webp", &["image/webp"]),
    ("image/bmp", &["image/bmp"]),
    ("image/tiff", &["image/tiff", "image/x-canon-cr2"]),
    ("image/avif", &["image/avif", "image/heif"]),
    ("image/heic", &["image/heif", "image/avif"]),
    ("image/heif", &["image/heif", "image/avif"]),
    ("image/jxl", &["image/jxl"]),
    ("image/x-icon", &["image/vnd.microsoft.icon"]),
    ("image/vnd.microsoft.icon", &["image/vnd.microsoft.icon"]),
    ("application/pdf", &["application/pdf"]),
    ("application/zip", ZIPS),
    ("application/x-zip-compressed", ZIPS),
    ("application/gzip", &["application/gzip"]),
    ("application/x-gzip", &["application/gzip"]),
    ("application/x-7z-compressed", &["application/x-7z-compressed"]),
    ("application/x-bzip2", &["application/x-bzip2"]),
    ("application/zstd", &["application/zstd"]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIPS),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIPS),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ZIPS),
    ("application/vnd.oasis.opendocument.text", ZIPS),
    ("application/vnd.oasis.opendocument.spreadsheet", ZIPS),
    ("application/vnd.oasis.opendocument.presentation", ZIPS),
    ("application/epub+zip", ZIPS),
    ("video/mp4", VIDEOS),
    ("video/quicktime", VIDEOS),
    ("video/webm", &["video/webm", "video/x-matroska"]),
    ("audio/mpeg", &["audio/mpeg"]),
    ("audio/ogg", &["audio/ogg", "audio/opus"]),
    ("audio/wav", &["audio/x-wav"]),
    ("audio/x-wav", &["audio/x-wav"]),
    ("audio/flac", &["audio/x-flac"]),
];

const ZIPS: &[&str] = &[
    "application/zip",
    "application/epub+zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
];

const VIDEOS: &[&str] = &["video/mp4", "video/x-m4v", "video/quicktime", "audio/m4a", "image/heif"];

/// Whether what was said and what was found can both be true.
fn agree(declared: &str, found: Option<Found>, head: &[u8]) -> bool {
    let found = found.map(|found| found.media_type);
    if let Some((_, signs)) = SIGNED.iter().find(|(signed, _)| *signed == declared) {
        return found.is_some_and(|found| signs.contains(&found));
    }
    let is_text = declared.starts_with("text/") || declared == "application/json" || declared.ends_with("+json");
    if is_text {
        // Texts of UTF-16 begin with a mark, and hold NUL.
        let marked = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
        return found.is_none_or(|found| found.starts_with("text/")) && (marked || !head.contains(&0));
    }
    // A picture, sound or film of an uncommon kind is at least no program, archive or page.
    let medium = ["image/", "audio/", "video/"].iter().any(|kind| declared.starts_with(kind));
    let medial = |found: &str| ["image/", "audio/", "video/"].iter().any(|kind| found.starts_with(kind));
    let markup = declared == "image/svg+xml" && found.is_none_or(|found| found.starts_with("text/"));
    !medium || markup || found.is_none_or(medial)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PDF: &[u8] = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3";
    const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0 a program, long enough to be recognised as such by its header";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0";

    fn parsed(text: &str) -> Option<MediaType> {
        MediaType::parse(text).unwrap()
    }

    fn served(declared: &str, head: &[u8]) -> Option<String> {
        judge(parsed(declared).as_ref(), head).ok().map(|(kind, _)| kind.0)
    }

    #[test]
    fn what_is_said_and_what_is_there_must_fit() {
        for (declared, head) in [
            ("image/png", PNG),
            ("IMAGE/PNG; charset=binary", PNG),
            ("application/pdf", PDF),
            ("text/plain; charset=utf-8", b"hello".as_slice()),
            ("text/csv", b"a,b\n1,2\n"),
            ("application/json", b"{}"),
            ("application/zip", ZIP),
            ("application/vnd.oasis.opendocument.text", ZIP),
            ("application/x-something-new", b"anything"),
            ("application/octet-stream", ELF),
        ] {
            let expected = declared.split(';').next().unwrap().to_ascii_lowercase();
            assert_eq!(served(declared, head), Some(expected), "{declared}");
        }
        for (declared, head) in [
            ("image/png", ELF),
            ("image/png", b"hello".as_slice()),
            ("image/png", b"<html><script>"),
            ("image/jpeg", PNG),
            ("application/pdf", b"hello"),
            ("text/plain", PNG),
            ("text/plain", b"a\0b"),
            ("application/json", ZIP),
            ("image/x-unheard-of", ELF),
            ("video/mp4", PDF),
        ] {
            assert_eq!(served(declared, head), None, "{declared}");
        }
    }

    #[test]
    fn what_a_browser_would_run_is_served_as_bytes() {
        for (declared, head) in [
            ("text/html", b"<html><script>alert(1)</script>".as_slice()),
            ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            ("application/xhtml+xml", b"<?xml version='1.0'?><html/>"),
            ("text/xml", b"<?xml version='1.0'?>"),
            ("text/javascript", b"alert(1)"),
            ("application/javascript", b"alert(1)"),
            ("text/css", b"a{}"),
            ("application/x-sh", b"#!/bin/sh"),
            ("text/plain", b"  <!DOCTYPE html><p>"),
            ("text/plain", b"\xEF\xBB\xBF<svg/>"),
            ("application/x-new", b"<script>"),
            ("message/rfc822", b"From: a"),
        ] {
            assert_eq!(served(declared, head).as_deref(), Some(UNKNOWN), "{declared}");
        }
    }

    #[test]
    fn without_a_word_the_bytes_decide() {
        for unsaid in ["", "application/x-www-form-urlencoded"] {
            assert_eq!(served(unsaid, PNG).as_deref(), Some("image/png"));
            assert_eq!(served(unsaid, PDF).as_deref(), Some("application/pdf"));
            assert_eq!(served(unsaid, b"<html>").as_deref(), Some(UNKNOWN));
            assert_eq!(served(unsaid, b"hello").as_deref(), Some(UNKNOWN));
        }
        assert_eq!(judge(None, PNG).unwrap().1, Some("png"));
    }

    #[test]
    fn a_list_of_types_takes_these_alone() {
        let allowed = ["image/*".to_owned(), "application/pdf".to_owned()];
        let check = |text: &str| check_allowed(parsed(text).as_ref(), &allowed);

        assert!(check("image/webp").is_ok() && check("application/pdf").is_ok());
        let refused = check("application/zip").unwrap_err().to_string();
        assert_eq!(refused, "the type must be one of image/*, application/pdf");
        assert!(check("").is_err() && check("imagex/png").is_err());
        assert!(check_allowed(None, &[]).is_ok());
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in ["png", "image/", "/png", "image/png/x", "image/p ng", "ima\u{e4}ge/png", "a/\"b\""] {
            assert!(MediaType::parse(text).is_err(), "{text}");
        }
        assert!(MediaType::parse(&format!("image/{}", "x".repeat(200))).is_err());
    }
}
