use artdag_kernel::{ContentHash, Instant};
use std::fmt::Write;

/// How an export spells ids, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportContext {
    base: String,
    exported_at: Instant,
}

impl ExportContext {
    /// `base` is the registry's public URL, with or without a slash at its end.
    pub fn new(base: &str, exported_at: Instant) -> Self {
        Self { base: iri_safe(base.trim_end_matches('/')), exported_at }
    }

    /// When the export was made.
    pub const fn exported_at(&self) -> Instant {
        self.exported_at
    }

    /// Content, as the registry's API spells it: `{base}/objects/{hex}`.
    pub fn object(&self, content: &ContentHash) -> String {
        format!("{}{}", self.objects(), content.to_bare_hex())
    }

    /// An account: `{base}/users/{name}`.
    pub fn user(&self, name: &str) -> String {
        format!("{}{}", self.users(), local_name(name))
    }

    /// The making of content: `{base}/objects/{hex}#run`. It hangs on the content and not on the renderer's name
    /// for the run, since whoever registers an asset may claim any run, and two claims must not become one run.
    pub fn run(&self, content: &ContentHash) -> String {
        format!("{}{}", self.objects(), run_name(content))
    }

    /// A renderer: `{base}/renderers#{its address, percent-encoded}`. The address itself is no id, since nothing
    /// forces a claim to name a renderer by an address.
    pub fn renderer(&self, address: &str) -> String {
        format!("{}{}", self.renderers(), local_name(address))
    }

    pub(super) fn objects(&self) -> String {
        format!("{}/objects/", self.base)
    }

    pub(super) fn users(&self) -> String {
        format!("{}/users/", self.base)
    }

    pub(super) fn renderers(&self) -> String {
        format!("{}/renderers#", self.base)
    }

    /// Where the terms live that Art DAG adds.
    pub(super) fn vocabulary(&self) -> String {
        format!("{}/ns#", self.base)
    }
}

/// The last part of a run's id.
pub(super) fn run_name(content: &ContentHash) -> String {
    format!("{}#run", content.to_bare_hex())
}

/// Percent-encodes everything but ASCII letters, digits and `_`, so that the text needs no escape in any of the
/// notations, and two texts never become one.
pub(super) fn local_name(text: &str) -> String {
    percent_encode(text, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Percent-encodes what an IRI in angle brackets must not hold.
fn iri_safe(text: &str) -> String {
    percent_encode(text, |byte| !(byte <= b' ' || byte == 0x7f || br#"<>"{}|^`\"#.contains(&byte)) && byte.is_ascii())
}

fn percent_encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keep(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_ids_as_the_registry_does() {
        let context = ExportContext::new("https://art.example/", Instant::default());
        let content = ContentHash::of(b"x");
        let hex = content.to_bare_hex();
        assert_eq!(context.object(&content), format!("https://art.example/objects/{hex}"));
        assert_eq!(context.run(&content), format!("https://art.example/objects/{hex}#run"));
        assert_eq!(context.user("giles_2"), "https://art.example/users/giles_2");
        assert_eq!(context.renderer("https://l1.example"), "https://art.example/renderers#https%3A%2F%2Fl1%2Eexample");
    }

    #[test]
    fn hostile_parts_stay_inside_their_ids() {
        let context = ExportContext::new("https://art.example/<a>\"\\é", Instant::default());
        assert_eq!(context.user("../x y>"), "https://art.example/%3Ca%3E%22%5C%C3%A9/users/%2E%2E%2Fx%20y%3E");
    }
}
