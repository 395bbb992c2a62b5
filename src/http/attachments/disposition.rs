//! `Content-Disposition` as clients write it: the name of a file (RFC 6266, RFC 7578) and of a form's part.

use percent_encoding::percent_decode_str;

use crate::attachments::file_name::NameFault;

/// What a disposition says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    /// The name of a form's part.
    pub(super) name: Option<String>,
    /// The file's name.
    pub(super) file_name: Option<String>,
}

/// Reads the header's value.
///
/// # Errors
///
/// [`NameFault::NotText`] when it is not UTF-8.
pub(super) fn read(value: &[u8]) -> Result<Disposition, NameFault> {
    let text = std::str::from_utf8(value).map_err(|_| NameFault::NotText)?;
    let (mut found, mut extended) = (Disposition::default(), None);
    for (name, value) in parameters(text) {
        match name.to_ascii_lowercase().as_str() {
            "name" => found.name = Some(value),
            "filename" => found.file_name = Some(value),
            "filename*" => extended = Some(decoded(&value)?),
            _ => {}
        }
    }
    // Whoever sends both means the extended one (RFC 6266, section 4.3).
    found.file_name = extended.or(found.file_name);
    Ok(found)
}

/// The parameters, in their order, without their quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            quoted_text(quoted)
        } else {
            let (value, next) = after.split_once(';').unwrap_or((after, ""));
            (value.trim().to_owned(), next)
        };
        found.push((name.trim_matches([' ', '\t', ';']).to_owned(), value));
        rest = next;
    }
    found
}

/// A quoted text from behind its first quote, and what follows it.
///
/// A backslash counts only before a quote or another one: some browsers send paths of Windows as they are.
fn quoted_text(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' if matches!(letters.peek(), Some((_, '"' | '\\'))) => {
                value.extend(letters.next().map(|(_, next)| next));
            }
            other => value.push(other),
        }
    }
    (value, "")
}

/// `UTF-8''a%20b` (RFC 8187).
fn decoded(value: &str) -> Result<String, NameFault> {
    let mut parts = value.splitn(3, '\'');
    let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NameFault::NotText);
    };
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(NameFault::NotText);
    }
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| NameFault::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_name(value: &str) -> Option<String> {
        read(value.as_bytes()).unwrap().file_name
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (value, name) in [
            ("attachment; filename=a.txt", "a.txt"),
            ("attachment; filename=\"a b;c=\\\"d\\\".txt\"", "a b;c=\"d\".txt"),
            ("attachment;filename = \"a.txt\" ; x=y", "a.txt"),
            ("form-data; name=\"file\"; filename=\"März.pdf\"", "März.pdf"),
            ("attachment; filename=\"x.txt\"; filename*=UTF-8''M%C3%A4rz%20%22.pdf", "März \".pdf"),
            ("attachment; FILENAME*=utf-8'de'a.txt", "a.txt"),
            ("form-data; name=file; filename=\"C:\\temp\\a.txt\"", "C:\\temp\\a.txt"),
        ] {
            assert_eq!(file_name(value).as_deref(), Some(name), "{value}");
        }
        assert_eq!(read(b"form-data; name=\"file\"; filename=\"a\"").unwrap().name.as_deref(), Some("file"));
    }

    #[test]
    fn odd_headers_do_no_harm() {
        for value in
            ["", "attachment", "attachment;", "attachment; filename", ";;;", "x; =; =\"", "form-data; name=\"a"]
        {
            assert_eq!(file_name(value), None, "{value}");
        }
        assert_eq!(read(b"attachment; filename=\"\xff\""), Err(NameFault::NotText));
        for value in ["x; filename*=a.txt", "x; filename*=latin1''a", "x; filename*=UTF-8''%ff"] {
            assert_eq!(read(value.as_bytes()), Err(NameFault::NotText), "{value}");
        }
    }
}
