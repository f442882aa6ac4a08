//! Text in a picture: as wide as it may be, and never markup.

/// The text, cut with an ellipsis where it would be wider than `width` at this size.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    let room = width / size;
    if text.chars().map(advance).sum::<f64>() <= room {
        return text.to_owned();
    }
    let mut used = advance('…');
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        used += advance(c);
        if used > room {
            break;
        }
        // What follows without a width of its own belongs to this character: joiners, accents, variants.
        let is_whole = chars.peek().is_none_or(|&(_, next)| advance(next) > 0.0) && c != '\u{200d}';
        if is_whole {
            end = at + c.len_utf8();
        }
    }
    format!("{}…", text[..end].trim_end())
}

/// About how far a character moves on, in parts of the font's size. There is no font at hand, so this is what wide
/// sans-serif fonts need: better some room left than a name cut by its box.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.36,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        'A'..='Z' | '&' => 0.76,
        ' '..='~' => 0.65,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{20d0}'..='\u{20ff}' => 0.0,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffff}' => 1.05,
        '\u{10000}'.. => 1.4,
        _ => 0.75,
    }
}

/// For text and attributes of XML. Characters that XML cannot hold at all become U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(fitted("beat-sync", 13.0, 180.0), "beat-sync");
        assert_eq!(fitted("", 13.0, 1.0), "");
    }

    #[test]
    fn what_is_too_wide_is_cut_between_characters_that_people_see() {
        assert_eq!(fitted("aaaa bbbbbbbb", 10.0, 41.0), "aaaa…");
        assert_eq!(fitted(&"夜".repeat(30), 10.0, 50.0), "夜夜夜夜…");
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(fitted(&family.repeat(2), 10.0, 60.0), format!("{family}…"));
        assert_eq!(fitted("e\u{301}e\u{301}e\u{301}", 10.0, 15.0), "e\u{301}…");
        assert_eq!(fitted("wwww", 10.0, 1.0), "…");
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(
            escaped("</title><script>\"'&\u{0}\u{1b}\n\u{ffff}é"),
            "&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd} \u{fffd}é"
        );
    }
}
