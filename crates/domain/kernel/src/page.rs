use crate::Instant;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::DateTime;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// How many items a page may hold: 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u16);

/// The asked page does not exist in that form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// Not 1 to 200.
    #[error("must be a number from 1 to 200")]
    Limit,
    /// Deeper than [`Position::MAX_OFFSET`].
    #[error("reaches at most 10000 rows deep; follow `next` to go on")]
    TooDeep,
}

impl PageLimit {
    /// 50, when nobody says otherwise.
    pub const DEFAULT: Self = Self(50);
    /// The most that a list gives.
    pub const MOST: Self = Self(200);
    /// The most items an ActivityStreams collection page holds.
    pub const COLLECTION: Self = Self(40);

    /// # Errors
    /// [`InvalidPage::Limit`] outside 1 to 200.
    pub fn new(limit: u16) -> Result<Self, InvalidPage> {
        if (1..=200).contains(&limit) { Ok(Self(limit)) } else { Err(InvalidPage::Limit) }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Where an item stands in a list that is sorted by time, newest first: opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The item's time.
    pub at: Instant,
    /// The item's id, which orders items of one instant.
    pub id: Uuid,
}

/// The text is not a cursor that this server gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this server; follow `next` as it is given")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let (micros, id) = bytes.split_first_chunk::<8>().ok_or(InvalidCursor)?;
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).ok_or(InvalidCursor)?;
        Ok(Self { at, id: Uuid::from_slice(id).map_err(|_| InvalidCursor)? })
    }
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// At the newest item.
    Newest,
    /// Just behind this item, towards older ones.
    OlderThan(Cursor),
    /// Just before this item: the page that ends there.
    NewerThan(Cursor),
    /// After this many items. For clients that count pages; costs as many rows as it skips.
    Offset(u32),
}

impl Position {
    /// How deep [`Position::Offset`] may reach.
    pub const MAX_OFFSET: u32 = 10_000;
}

/// A page of a list that is sorted newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The most items.
    pub limit: PageLimit,
    /// Where it begins.
    pub position: Position,
}

impl Page {
    /// The newest items.
    pub const fn newest(limit: PageLimit) -> Self {
        Self { limit, position: Position::Newest }
    }
}

/// The items of one page, newest first, and whether there are more on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// At most as many as the page's limit.
    pub items: Vec<T>,
    /// Older items exist.
    pub has_older: bool,
    /// Newer items exist.
    pub has_newer: bool,
}

impl<T> Slice<T> {
    /// Makes a slice from up to `limit + 1` rows as a keyset query gives them: newest first, but oldest first
    /// for [`Position::NewerThan`]. The surplus row, if any, only tells that there is more.
    pub fn from_rows(mut rows: Vec<T>, page: Page) -> Self {
        let limit = usize::from(page.limit.get());
        let more = rows.len() > limit;
        rows.truncate(limit);
        match page.position {
            Position::NewerThan(_) => {
                rows.reverse();
                Self { items: rows, has_older: true, has_newer: more }
            }
            Position::Newest => Self { items: rows, has_older: more, has_newer: false },
            Position::OlderThan(_) => Self { items: rows, has_older: more, has_newer: true },
            Position::Offset(n) => Self { items: rows, has_older: more, has_newer: n > 0 },
        }
    }
}

/// How many rows match, counted no further than is cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Exactly(u64),
    /// This many and more; nobody counted on.
    AtLeast(u64),
}

impl Count {
    /// The number that is certain.
    pub const fn known(self) -> u64 {
        match self {
            Self::Exactly(n) | Self::AtLeast(n) => n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor { at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(), id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_cursor_survives_the_client() {
        assert_eq!(cursor().to_string().parse(), Ok(cursor()));
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        let cut = &cursor().to_string()[..20];
        let far = Cursor { at: cursor().at, id: Uuid::nil() }.to_string().replace(|c: char| c.is_ascii_digit(), "_");
        for text in ["", "1", "abc", cut, "====", &far.repeat(2)] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }

    #[test]
    fn a_slice_knows_its_neighbours() {
        let limit = PageLimit::new(2).unwrap();
        let slice = Slice::from_rows(vec![3, 2, 1], Page::newest(limit));
        assert_eq!(slice, Slice { items: vec![3, 2], has_older: true, has_newer: false });
        let back = Page { limit, position: Position::NewerThan(cursor()) };
        let slice = Slice::from_rows(vec![4, 5, 6], back);
        assert_eq!(slice, Slice { items: vec![5, 4], has_older: true, has_newer: true });
    }

    #[test]
    fn limits_are_kept() {
        assert!(PageLimit::new(0).is_err() && PageLimit::new(201).is_err());
        assert_eq!(PageLimit::new(200).map(PageLimit::get), Ok(200));
    }
}
