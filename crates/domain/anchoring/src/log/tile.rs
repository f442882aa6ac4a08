use std::fmt;
use std::str::FromStr;

use super::subtree::Node;
use crate::text::digits;

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u16 = 256;
/// The height of the subtree over a full tile.
pub(super) const TILE_HEIGHT: u32 = 8;
/// The highest level of tiles that a tree with a 64-bit size can have.
const MAX_LEVEL: u8 = 7;

/// Names a tile of hashes. At level 0 these are leaves, at each further level the roots of full tiles below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

/// Names a bundle of entries: those whose hashes are in the tile of level 0 of the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId {
    index: u64,
    width: u16,
}

/// What follows `/tile/` in the path of a tile or a bundle: `0/x001/234`, `1/000.p/17`, `entries/007`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// A tile of hashes.
    Hashes(TileId),
    /// A bundle of entries.
    Entries(BundleId),
}

/// The text names no tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("names no tile of a log")]
pub struct InvalidTilePath;

impl TileId {
    /// The tile as it is in a tree of that size: full, partial, or `None` if there is no such tile in it yet.
    #[must_use]
    pub fn at_size(level: u8, index: u64, size: u64) -> Option<Self> {
        if level > MAX_LEVEL {
            return None;
        }
        let nodes = size >> (TILE_HEIGHT * u32::from(level));
        let width = nodes.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        Self::new(level, index, u16::try_from(width).unwrap_or(TILE_WIDTH).min(TILE_WIDTH))
    }

    /// A tile of so many hashes.
    pub(super) fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        let last = u64::MAX.checked_shr(TILE_HEIGHT * (u32::from(level) + 1)).unwrap_or(0);
        (level <= MAX_LEVEL && index <= last && (1..=TILE_WIDTH).contains(&width)).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The last tile of each level that is not full at that size.
    pub(super) fn rightmost(size: u64) -> impl Iterator<Item = Self> {
        let last = move |level: u8| (size >> (TILE_HEIGHT * u32::from(level))) / u64::from(TILE_WIDTH);
        (0..=MAX_LEVEL).filter_map(move |level| Self::at_size(level, last(level), size))
    }

    /// Its level; 0 holds the leaves.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Its place within the level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it has, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all of its hashes and will never be another.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl BundleId {
    /// The bundle as it is in a log of that size, `None` if there is no such bundle in it yet.
    #[must_use]
    pub fn at_size(index: u64, size: u64) -> Option<Self> {
        TileId::at_size(0, index, size).map(|TileId { index, width, .. }| Self { index, width })
    }

    /// Its place.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many entries it has, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }
}

/// Where a node is found: a level, the tile in it, and the first of the hashes below the node, which are
/// `2^height` by the height that remains.
pub(super) struct Place {
    pub(super) level: u8,
    pub(super) index: u64,
    pub(super) offset: usize,
    pub(super) count: usize,
}

impl Place {
    pub(super) fn of(node: Node) -> Self {
        let remaining = node.height % TILE_HEIGHT;
        let first = node.index << remaining;
        Self {
            // A height is below 64.
            level: u8::try_from(node.height / TILE_HEIGHT).unwrap_or(MAX_LEVEL),
            index: first / u64::from(TILE_WIDTH),
            offset: usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(0),
            count: 1 << remaining,
        }
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.level)?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries/")?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes(tile) => tile.fmt(f),
            Self::Entries(bundle) => bundle.fmt(f),
        }
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    // Twenty digits at most, so six groups before the last.
    for group in (1..=6).rev() {
        let above = index / 1000_u64.pow(group);
        if above > 0 {
            write!(f, "x{:03}/", above % 1000)?;
        }
    }
    write!(f, "{:03}", index % 1000)?;
    if width < TILE_WIDTH { write!(f, ".p/{width}") } else { Ok(()) }
}

impl FromStr for TilePath {
    type Err = InvalidTilePath;

    fn from_str(text: &str) -> Result<Self, InvalidTilePath> {
        let (level, place) = text.split_once('/').ok_or(InvalidTilePath)?;
        let (index, width) = read_place(place).ok_or(InvalidTilePath)?;
        let level_number = if level == "entries" { Some(0) } else { digits(level).and_then(|n| u8::try_from(n).ok()) };
        let tile = level_number.and_then(|level| TileId::new(level, index, width)).ok_or(InvalidTilePath)?;
        let path = if level == "entries" { Self::Entries(BundleId { index, width }) } else { Self::Hashes(tile) };
        // One spelling only, so that a cache has each tile once.
        if path.to_string() == text { Ok(path) } else { Err(InvalidTilePath) }
    }
}

fn read_place(text: &str) -> Option<(u64, u16)> {
    let (groups, width) = match text.split_once(".p/") {
        Some((groups, width)) => (groups, u16::try_from(digits(width)?).ok().filter(|width| *width < TILE_WIDTH)?),
        None => (text, TILE_WIDTH),
    };
    let mut index: u64 = 0;
    for group in groups.split('/') {
        let group = group.strip_prefix('x').unwrap_or(group);
        index = index.checked_mul(1000)?.checked_add(digits(group).filter(|_| group.len() == 3)?)?;
    }
    Some((index, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |level, index, width| TilePath::Hashes(TileId::new(level, index, width).unwrap());
        for (path, text) in [
            (tile(0, 0, 256), "0/000"),
            (tile(0, 1_234_067, 256), "0/x001/x234/067"),
            (tile(1, 1000, 17), "1/x001/000.p/17"),
            (tile(7, 0, 1), "7/000.p/1"),
            (TilePath::Entries(BundleId { index: 273, width: 112 }), "entries/273.p/112"),
            (tile(0, (1 << 56) - 1, 255), "0/x072/x057/x594/x037/x927/935.p/255"),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "0",
            "0/",
            "00/000",
            "+0/000",
            "0/00",
            "0/0000",
            "0/x000/000",
            "0/001/000",
            "0/x001",
            "0/x001/x002",
            "0/000.p/0",
            "0/000.p/00",
            "0/000.p/01",
            "0/000.p/256",
            "0/000.p/+1",
            "0/000.p/1/2",
            "0/000.p/",
            "8/000",
            "64/000",
            "entries/",
            "Entries/000",
            "0/X001/000",
            "0/000/",
            "/000",
            "7/001",
            "0/x999/x999/x999/x999/x999/x999/999",
            "0/x072/x057/x594/x037/x927/936",
            "0/٠٠٠",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(InvalidTilePath), "{text}");
        }
    }

    #[test]
    fn widths_are_those_of_the_specification() {
        let tiles: Vec<_> = TileId::rightmost(70_000).map(|tile| tile.to_string()).collect();
        assert_eq!(tiles, ["0/273.p/112", "1/001.p/17", "2/000.p/1"]);
        let tiles: Vec<_> = TileId::rightmost(256).map(|tile| tile.to_string()).collect();
        assert_eq!(tiles, ["1/000.p/1"]);
        assert_eq!(TileId::at_size(0, 272, 70_000).map(|tile| tile.is_full()), Some(true));
        assert_eq!(TileId::at_size(0, 274, 70_000), None);
        assert_eq!(TileId::at_size(0, 1, 256), None);
        assert_eq!(TileId::at_size(3, 0, 70_000), None);
        assert_eq!(TileId::at_size(0, u64::MAX, u64::MAX), None);
    }
}
