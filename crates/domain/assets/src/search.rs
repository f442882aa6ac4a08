use crate::{AssetName, Details};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a full-text query: all must occur, each as the beginning of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// A query is cut after this many words.
    pub const MAX: usize = 16;

    /// Takes a query apart. Punctuation separates; case and accents do not count.
    pub fn of(query: &str) -> Self {
        Self(words(query).take(Self::MAX).collect())
    }

    /// The words.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// What an asset is found by: the words of its name, description and tags, separated by single spaces. Both
/// databases index exactly these words, so that they answer alike.
pub fn search_text(name: &AssetName, details: &Details) -> String {
    let description = details.description.as_ref().map_or("", |d| d.as_str());
    let tags = details.tags.as_slice().iter().map(crate::Tag::as_str);
    let all = [name.as_str(), description].into_iter().chain(tags);
    all.flat_map(words).collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    let split: Vec<String> = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(cut).collect();
    split.into_iter()
}

/// PostgreSQL's text search takes words of at most 2046 bytes; nobody searches for longer ones.
fn cut(word: &str) -> String {
    word.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_accents_and_punctuation() {
        assert_eq!(SearchWords::of("  my-Video: Été!").as_slice(), ["my", "video", "ete"]);
        assert_eq!(SearchWords::of("\"'*&|<->()").as_slice(), [""; 0]);
        assert_eq!(SearchWords::of(&"a ".repeat(99)).as_slice().len(), SearchWords::MAX);
    }
}
