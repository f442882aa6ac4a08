use std::collections::BTreeMap;

use super::subtree::Node;
use super::tile::Place;
use super::{Digest, TILE_WIDTH, TileId, node_hash};

/// Tiles that were read, to compute from.
///
/// A wider version of a tile serves wherever a narrower one is asked for.
#[derive(Clone, Debug, Default)]
pub struct TileSet(BTreeMap<(u8, u64), Vec<Digest>>);

/// A tile that was not given, or is narrower than what is computed from it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {index} of level {level} has not the first {width} hashes")]
pub struct MissingTile {
    /// The level of the tile.
    pub level: u8,
    /// Its place within the level.
    pub index: u64,
    /// How many hashes it needs to have.
    pub width: usize,
}

/// The bytes are not those of the tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {tile} is not of {length} bytes")]
pub struct InvalidTile {
    tile: TileId,
    length: usize,
}

impl TileSet {
    /// No tiles yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a tile as it was stored or served: its hashes without anything between.
    ///
    /// There may be more hashes than the name says, if the tile has grown since.
    ///
    /// # Errors
    ///
    /// If there are fewer hashes than the name says, more than a tile has, or a part of one.
    pub fn insert(&mut self, tile: TileId, bytes: &[u8]) -> Result<(), InvalidTile> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || !(tile.width()..=TILE_WIDTH).contains(&u16::try_from(hashes.len()).unwrap_or(0)) {
            return Err(InvalidTile { tile, length: bytes.len() });
        }
        self.insert_hashes(tile, hashes.iter().copied().map(Digest::from_bytes).collect());
        Ok(())
    }

    /// A tile as it is stored and served: exactly the hashes that its name says.
    ///
    /// # Errors
    ///
    /// If it was not given, or is narrower.
    pub fn bytes(&self, tile: TileId) -> Result<Vec<u8>, MissingTile> {
        let hashes = self.hashes(tile.level(), tile.index(), tile.width().into())?;
        Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    pub(super) fn insert_hashes(&mut self, tile: TileId, hashes: Vec<Digest>) {
        let known = self.0.entry((tile.level(), tile.index())).or_default();
        if known.len() < hashes.len() {
            *known = hashes;
        }
    }

    /// The first hashes of a tile.
    pub(super) fn hashes(&self, level: u8, index: u64, width: usize) -> Result<&[Digest], MissingTile> {
        let tile = self.0.get(&(level, index)).and_then(|hashes| hashes.get(..width));
        tile.ok_or(MissingTile { level, index, width })
    }

    /// A node, hashed from what its tile has below it.
    pub(super) fn node(&self, node: Node) -> Result<Digest, MissingTile> {
        let Place { level, index, offset, count } = Place::of(node);
        let below = &self.hashes(level, index, offset + count)?[offset..];
        let mut hashes = [Digest::default(); TILE_WIDTH as usize / 2];
        hashes[..count].copy_from_slice(below);
        let mut width = count;
        while width > 1 {
            width /= 2;
            for at in 0..width {
                hashes[at] = node_hash(&hashes[2 * at], &hashes[2 * at + 1]);
            }
        }
        Ok(hashes[0])
    }
}
