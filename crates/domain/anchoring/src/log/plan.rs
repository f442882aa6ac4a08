use std::collections::BTreeSet;

use super::proof::{ConsistencyProof, InclusionProof, OutOfRange};
use super::subtree::{self, Subtree};
use super::tile::Place;
use super::{Digest, MissingTile, TileId, TileSet, empty_root};

/// An inclusion proof to be: first it says what tiles to read, then it is computed from them.
///
/// ```
/// # use artdag_anchoring::{Digest, log::{Appender, InclusionPlan, TileSet}};
/// # let entries: Vec<Digest> = (0..1000_u32).map(|at| Digest::of(&at.to_be_bytes())).collect();
/// # let mut appender = Appender::new();
/// # let stored = appender.append(&entries);
/// let plan = InclusionPlan::new(700, 1000)?;
/// let mut tiles = TileSet::new();
/// for tile in plan.tiles() {
///     // From a database or another server.
///     let bytes = stored.tiles().find(|(id, _)| *id == tile).map(|(_, bytes)| bytes).expect("it is stored");
///     tiles.insert(tile, &bytes)?;
/// }
/// let proof = plan.prove(&tiles)?;
/// proof.verify(&entries[700], &appender.root())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct InclusionPlan {
    index: u64,
    parts: Parts,
}

/// A consistency proof to be.
#[derive(Clone, Debug)]
pub struct ConsistencyPlan {
    old_size: u64,
    parts: Parts,
}

/// A root to be: that of the tree at a size it has or had.
#[derive(Clone, Debug)]
pub struct RootPlan {
    parts: Parts,
}

impl InclusionPlan {
    /// Plans to prove that the entry at the index is in the tree of that size. The tiles may be those of a larger one.
    ///
    /// # Errors
    ///
    /// If the index is not below the size.
    pub fn new(index: u64, size: u64) -> Result<Self, OutOfRange> {
        Ok(Self { index, parts: Parts { size, of: subtree::of_inclusion(index, size)? } })
    }

    /// The tiles to read, as they are at this size; each of them once. One that has grown since serves as well.
    pub fn tiles(&self) -> impl Iterator<Item = TileId> {
        self.parts.tiles()
    }

    /// Computes the proof.
    ///
    /// # Errors
    ///
    /// If a tile is missing or too narrow.
    pub fn prove(&self, tiles: &TileSet) -> Result<InclusionProof, MissingTile> {
        let hashes = self.parts.hashes(tiles)?;
        Ok(InclusionProof::planned(self.index, self.parts.size, hashes))
    }
}

impl ConsistencyPlan {
    /// Plans to prove that the tree of the old size is the beginning of the one of the new size.
    ///
    /// # Errors
    ///
    /// If the old size is above the new one.
    pub fn new(old_size: u64, size: u64) -> Result<Self, OutOfRange> {
        Ok(Self { old_size, parts: Parts { size, of: subtree::of_consistency(old_size, size)? } })
    }

    /// The tiles to read, as they are at the new size; each of them once. One that has grown since serves as well.
    pub fn tiles(&self) -> impl Iterator<Item = TileId> {
        self.parts.tiles()
    }

    /// Computes the proof.
    ///
    /// # Errors
    ///
    /// If a tile is missing or too narrow.
    pub fn prove(&self, tiles: &TileSet) -> Result<ConsistencyProof, MissingTile> {
        let hashes = self.parts.hashes(tiles)?;
        Ok(ConsistencyProof::planned(self.old_size, self.parts.size, hashes))
    }
}

impl RootPlan {
    /// Plans to compute the root at that size.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { parts: Parts { size, of: vec![Subtree::whole(size)] } }
    }

    /// The tiles to read: the rightmost of each level.
    pub fn tiles(&self) -> impl Iterator<Item = TileId> {
        self.parts.tiles()
    }

    /// Computes the root.
    ///
    /// # Errors
    ///
    /// If a tile is missing or too narrow.
    pub fn root(&self, tiles: &TileSet) -> Result<Digest, MissingTile> {
        Ok(Subtree::whole(self.parts.size).hash(|node| tiles.node(node))?.unwrap_or_else(empty_root))
    }
}

/// What is to be hashed of a tree of that size.
#[derive(Clone, Debug)]
struct Parts {
    size: u64,
    of: Vec<Subtree>,
}

impl Parts {
    fn tiles(&self) -> impl Iterator<Item = TileId> {
        let nodes = self.of.iter().flat_map(|part| part.nodes());
        let tiles = nodes.filter_map(|node| {
            let Place { level, index, .. } = Place::of(node);
            TileId::at_size(level, index, self.size)
        });
        tiles.collect::<BTreeSet<_>>().into_iter()
    }

    fn hashes(&self, tiles: &TileSet) -> Result<Vec<Digest>, MissingTile> {
        let hashes = self.of.iter().filter_map(|part| part.hash(|node| tiles.node(node)).transpose());
        hashes.collect()
    }
}
