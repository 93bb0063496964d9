//! `multipart/form-data`, in which a file comes with its parameters. The syntax is that of RFC 7578.

use url::form_urlencoded;

use crate::wire::errors::ApiError;

/// The parameter that a file is.
const FILE: &str = "file";

/// A file as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// What the sender calls it, without folders.
    pub(crate) filename: String,
    /// What the sender says it is.
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// A body, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// All parameters, as a form has them. That of the file is its name.
    pub(crate) encoded: Vec<u8>,
    pub(crate) upload: Option<Upload>,
}

/// One part, its headers read.
struct Part<'b> {
    name: String,
    filename: Option<String>,
    media_type: Option<String>,
    content: &'b [u8],
}

/// The boundary that a `Content-Type` names; nothing if it is of another type than this.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (media_type, rest) = content_type.split_once(';')?;
    if !media_type
        .trim()
        .eq_ignore_ascii_case("multipart/form-data")
    {
        return None;
    }
    attribute(rest, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// Takes a body apart.
pub(crate) fn read(boundary: &str, body: &[u8]) -> Result<Parts, ApiError> {
    let cut_off = || ApiError::invalid("The multipart/form-data body was cut off or is malformed.");
    let delimiter = format!("--{boundary}");
    let first = find(body, delimiter.as_bytes()).ok_or_else(cut_off)?;
    let mut rest = body.get(first..).unwrap_or_default();
    let mut form = form_urlencoded::Serializer::new(String::new());
    let mut upload = None;
    let between = format!("\r\n{delimiter}");
    loop {
        rest = rest
            .strip_prefix(delimiter.as_bytes())
            .ok_or_else(cut_off)?;
        if rest.starts_with(b"--") {
            break;
        }
        let line_end = find(rest, b"\r\n").ok_or_else(cut_off)?;
        // The line break that ends the delimiter may begin the blank line of a part without headers.
        let end = find(rest.get(line_end..).unwrap_or_default(), between.as_bytes())
            .map(|at| line_end.saturating_add(at))
            .ok_or_else(cut_off)?;
        let part = rest.get(line_end..end).and_then(Part::read);
        let part = part.ok_or_else(cut_off)?;
        match &part.filename {
            Some(filename) => {
                form.append_pair(&part.name, filename);
            }
            None => {
                form.append_pair(&part.name, &String::from_utf8_lossy(part.content));
            }
        }
        if part.name == FILE && part.filename.is_some() {
            upload = part.upload();
        }
        rest = rest.get(end.saturating_add(2)..).unwrap_or_default();
    }
    Ok(Parts {
        encoded: form.finish().into_bytes(),
        upload,
    })
}

impl<'b> Part<'b> {
    /// Reads a part that begins with the line break before its headers.
    fn read(part: &'b [u8]) -> Option<Self> {
        let blank = find(part, b"\r\n\r\n")?;
        let (head, rest) = part.split_at_checked(blank)?;
        let head = String::from_utf8_lossy(head);
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (its, value) = line.split_once(':')?;
                its.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let disposition = header("content-disposition")?;
        let (kind, attributes) = disposition.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        Some(Self {
            name: attribute(attributes, "name")?,
            filename: attribute(attributes, "filename"),
            media_type: header("content-type").map(str::to_owned),
            content: rest.get(4..)?,
        })
    }

    fn upload(self) -> Option<Upload> {
        let filename = self.filename?;
        // Some clients send the whole path.
        let name = filename.rsplit(['/', '\\']).next().unwrap_or_default();
        Some(Upload {
            filename: name.to_owned(),
            media_type: self.media_type,
            bytes: self.content.to_vec(),
        })
    }
}

/// The value of an attribute in `; name="file"; filename="a.png"`, unquoted.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (value, after) = after.split_at_checked(end)?;
                (value.trim().to_owned(), after)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// What stands before the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at.saturating_add(1)..)?)),
            // Only a quote is escaped: Windows' paths have backslashes of their own.
            '\\' if text.get(at..)?.starts_with("\\\"") => {
                characters.next();
                value.push('"');
            }
            other => value.push(other),
        }
    }
    None
}

fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    within
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(content: &[u8]) -> Vec<u8> {
        let head = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\
                    dispute_evidence\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; \
                    filename=\"my \\\"best\\\" mug.png\"\r\nContent-Type: image/png\r\n\r\n";
        [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
    }

    #[test]
    fn a_file_comes_with_its_parameters() {
        let parts = read("b", &body(b"\x89PNG\r\n")).unwrap();
        assert_eq!(
            String::from_utf8(parts.encoded).unwrap(),
            "purpose=dispute_evidence&file=my+%22best%22+mug.png"
        );
        let upload = parts.upload.unwrap();
        assert_eq!(upload.filename, "my \"best\" mug.png");
        assert_eq!(upload.media_type.as_deref(), Some("image/png"));
        assert_eq!(upload.bytes, b"\x89PNG\r\n");
    }

    #[test]
    fn the_boundary_may_be_quoted() {
        for (header, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/x-www-form-urlencoded", None),
        ] {
            assert_eq!(boundary(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_refused() {
        let whole = body(b"content");
        let end = whole.len() - b"--\r\n".len();
        for length in 0..end {
            assert!(read("b", &whole[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_content_arrives_as_it_was_sent(content: Vec<u8>) {
            prop_assume!(find(&content, b"\r\n--b").is_none());
            let upload = read("b", &body(&content)).unwrap().upload.unwrap();
            prop_assert_eq!(upload.bytes, content);
        }

        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>, header in "\\PC*") {
            let _ = boundary(&header);
            let _ = read("b", &body);
            let _ = read("b", &[b"--b\r\n".to_vec(), body, b"\r\n--b--".to_vec()].concat());
        }
    }
}
