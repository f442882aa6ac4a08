/// Why a piece of text that people will read cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing is left.
    #[error("must not be empty")]
    Empty,
    /// It has more Unicode scalar values than allowed.
    #[error("must be at most {max} characters")]
    TooLong {
        /// The limit, in Unicode scalar values.
        max: usize,
    },
    /// It begins or ends with white space.
    #[error("must not begin or end with white space")]
    Padded,
    /// It has a character that is invisible, breaks lines, or turns the direction of the text around it.
    #[error("must not contain the character U+{0:04X}")]
    Forbidden(u32),
}

/// Checks one line of text: not empty, not padded, at most `max` characters, and none that would let one
/// text pass for another on a page (control characters, line separators, direction overrides).
///
/// # Errors
/// The first fault found.
pub fn check_text(text: &str, max: usize) -> Result<(), TextFault> {
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    if text.chars().count() > max {
        return Err(TextFault::TooLong { max });
    }
    if text.trim() != text {
        return Err(TextFault::Padded);
    }
    match text.chars().find(|&c| is_deceptive(c)) {
        Some(c) => Err(TextFault::Forbidden(u32::from(c))),
        None => Ok(()),
    }
}

/// Unicode's bidirectional controls (UAX 9), line and paragraph separators, the byte order mark.
/// Joiners stay: emoji and several scripts need them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_people_write() {
        for text in ["été → ✨ 𝒳", "effect:identity", "👩‍🎨", "日本語", "a"] {
            assert_eq!(check_text(text, 20), Ok(()), "{text}");
        }
    }

    #[test]
    fn names_the_fault() {
        assert_eq!(check_text("", 5), Err(TextFault::Empty));
        assert_eq!(check_text("éééééé", 5), Err(TextFault::TooLong { max: 5 }));
        assert_eq!(check_text(" a", 5), Err(TextFault::Padded));
        assert_eq!(check_text("a\u{a0}", 5), Err(TextFault::Padded));
        assert_eq!(check_text("a\0b", 5), Err(TextFault::Forbidden(0)));
        assert_eq!(check_text("a\u{202e}b", 5), Err(TextFault::Forbidden(0x202e)));
    }
}
