//! Numbers as the formats of logs spell them.

/// Digits alone; `parse` would also take a sign.
pub(crate) fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A number without zeros in front.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    digits(text).filter(|_| text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!((decimal("0"), decimal("10"), digits("010")), (Some(0), Some(10), Some(10)));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "18446744073709551616", "١"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
