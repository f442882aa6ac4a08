//! `name="value",name=value`: what cavage's `Signature` and FEP-8fcf's `Collection-Synchronization` are made of.

use std::borrow::Cow;

/// None of the two headers has a use for more.
const MAX_PARAMETERS: usize = 16;

pub(super) struct Parameters<'a>(Vec<(&'a str, Cow<'a, str>)>);

/// Why there are no parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Malformed,
    /// A name is there twice.
    Repeated,
}

impl<'a> Parameters<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Unreadable> {
        let mut found: Vec<(&str, Cow<'_, str>)> = Vec::new();
        let mut rest = text.trim_ascii();
        loop {
            let (name, after) = rest.split_once('=').ok_or(Unreadable::Malformed)?;
            let name = name.trim_ascii_end();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
                return Err(Unreadable::Malformed);
            }
            if found.iter().any(|(other, _)| *other == name) {
                return Err(Unreadable::Repeated);
            }
            let (value, after) = read_value(after.trim_ascii_start()).ok_or(Unreadable::Malformed)?;
            found.push((name, value));
            rest = after.trim_ascii_start();
            if rest.is_empty() {
                return Ok(Self(found));
            }
            rest = rest.strip_prefix(',').ok_or(Unreadable::Malformed)?.trim_ascii_start();
            if found.len() == MAX_PARAMETERS {
                return Err(Unreadable::Malformed);
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_ref())
    }
}

/// The value, and what follows it.
fn read_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let value = text[..end].trim_ascii_end();
        let plain = !value.is_empty() && !value.contains(|c: char| c == '"' || c.is_ascii_whitespace());
        return plain.then_some((Cow::Borrowed(value), &text[end..]));
    };
    let end = quoted.find(['"', '\\'])?;
    if quoted[end..].starts_with('"') {
        return Some((Cow::Borrowed(&quoted[..end]), &quoted[end + 1..]));
    }
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Cow::Owned(value), &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_bare_and_spaced() {
        let read = Parameters::read(r#" keyId = "a,b=\"c\\" , created=12,x="" "#).unwrap();
        assert_eq!(read.get("keyId"), Some(r#"a,b="c\"#));
        assert_eq!(read.get("created"), Some("12"));
        assert_eq!(read.get("x"), Some(""));
        assert_eq!(read.get("keyid"), None);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "a",
            "a=",
            "a=,b=1",
            "=1",
            "a=\"",
            "a=\"\\",
            "a=\"x\\\"",
            "a=1 b=2",
            "a=\"1\"b=2",
            "a=1,",
            "é=1",
            "a=b\"c",
        ] {
            assert!(matches!(Parameters::read(text), Err(Unreadable::Malformed)), "{text}");
        }
        assert!(matches!(Parameters::read("a=1,a=1"), Err(Unreadable::Repeated)));
        let many = (0..17).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join(",");
        assert!(matches!(Parameters::read(&many), Err(Unreadable::Malformed)));
    }
}
