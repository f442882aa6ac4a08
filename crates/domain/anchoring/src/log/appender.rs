use super::bundle::bytes_of;
use super::subtree::Subtree;
use super::tile::TILE_HEIGHT;
use super::{
    BundleId, Digest, Frontier, InvalidFrontier, MissingTile, RootPlan, TILE_WIDTH, TileId, TileSet, leaf_hash,
};

/// Appends to a log that is stored as tiles, knowing only its unfinished ones.
///
/// ```
/// use artdag_anchoring::Digest;
/// use artdag_anchoring::log::{Appender, TileSet};
///
/// let entries: Vec<Digest> = (0..300_u32).map(|at| Digest::of(&at.to_be_bytes())).collect();
/// let mut appender = Appender::new();
/// let stored = appender.append(&entries);
/// let names: Vec<String> = stored.tiles().map(|(tile, _)| tile.to_string()).collect();
/// assert_eq!(names, ["0/000", "0/001.p/44", "1/000.p/1"]);
///
/// // After a restart the tiles that it asks for are all that is read.
/// let mut tiles = TileSet::new();
/// for tile in Appender::needs(300) {
///     let bytes = stored.tiles().find(|(id, _)| *id == tile).map(|(_, bytes)| bytes).expect("it is stored");
///     tiles.insert(tile, &bytes)?;
/// }
/// let again = Appender::resume(300, &tiles, &entries[256..])?;
/// assert_eq!(again.root(), appender.root());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Appender {
    frontier: Frontier,
    /// By level the hashes of the tile that is not full yet.
    unfinished: Vec<Vec<Digest>>,
    /// The entries of the bundle that is not full yet.
    entries: Vec<Digest>,
}

/// What an append changes in the store: full tiles and bundles that are new, and the last ones of each level.
#[derive(Clone, Debug, Default)]
pub struct Appended {
    tiles: Vec<(TileId, Vec<Digest>)>,
    bundles: Vec<(BundleId, Vec<Digest>)>,
}

/// Why an appender cannot go on from what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotResume {
    /// A tile that [`Appender::needs`] names was not given.
    #[error("a tile is missing")]
    Tile(#[from] MissingTile),
    /// The entries are not those of the unfinished bundle.
    #[error("the unfinished bundle has {expected} entries, not {given}")]
    Entries {
        /// How many there are at that size.
        expected: u64,
        /// How many were given.
        given: usize,
    },
    /// An entry is not the one whose hash is in the tile.
    #[error("an entry of the unfinished bundle is not the one in the tile")]
    WrongEntry,
    /// The edge could not be taken up.
    #[error("the edge of the tree does not fit its size")]
    Edge(#[from] InvalidFrontier),
}

impl Appender {
    /// For an empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { frontier: Frontier::new(), unfinished: Vec::new(), entries: Vec::new() }
    }

    /// The tiles to read before going on with a log of that size: at most one a level.
    pub fn needs(size: u64) -> impl Iterator<Item = TileId> {
        RootPlan::new(size).tiles().collect::<Vec<_>>().into_iter()
    }

    /// Goes on with a log of that size. The entries are those of the bundle that is not full, which are the last
    /// `size % 256`.
    ///
    /// # Errors
    ///
    /// If tiles or entries are missing, or do not belong together.
    pub fn resume(size: u64, tiles: &TileSet, entries: &[Digest]) -> Result<Self, CannotResume> {
        let unfinished = size % u64::from(TILE_WIDTH);
        if u64::try_from(entries.len()) != Ok(unfinished) {
            return Err(CannotResume::Entries { expected: unfinished, given: entries.len() });
        }
        let mut appender = Self { entries: entries.to_vec(), ..Self::new() };
        for tile in TileId::rightmost(size) {
            let hashes = tiles.hashes(tile.level(), tile.index(), usize::from(tile.width()))?;
            appender.unfinished.resize(usize::from(tile.level()), Vec::new());
            appender.unfinished.push(hashes.to_vec());
        }
        if entries.iter().zip(appender.unfinished.first().into_iter().flatten()).any(|(e, leaf)| leaf_hash(e) != *leaf)
        {
            return Err(CannotResume::WrongEntry);
        }
        let peaks = Subtree::whole(size).nodes().map(|node| tiles.node(node)).collect::<Result<_, _>>()?;
        appender.frontier = Frontier::from_peaks(size, peaks)?;
        Ok(appender)
    }

    /// How many entries the log has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the log.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Appends entries and says what to store for it, before a checkpoint of the new size is signed.
    pub fn append(&mut self, entries: &[Digest]) -> Appended {
        let mut appended = Appended::default();
        let old_size = self.size();
        for entry in entries {
            self.append_one(entry, &mut appended);
        }
        let size = self.size();
        for tile in TileId::rightmost(size) {
            // Only if it is wider than it was.
            if TileId::at_size(tile.level(), tile.index(), old_size) != Some(tile) {
                let hashes = self.unfinished.get(usize::from(tile.level())).cloned().unwrap_or_default();
                appended.tiles.push((tile, hashes));
            }
        }
        if let Some(bundle) = last_bundle(size).filter(|_| size > old_size) {
            appended.bundles.push((bundle, self.entries.clone()));
        }
        appended.tiles.sort_unstable_by_key(|(tile, _)| *tile);
        appended
    }

    fn append_one(&mut self, entry: &Digest, appended: &mut Appended) {
        let Self { frontier, unfinished, entries } = self;
        let size = frontier.size() + 1;
        frontier.append_leaf(leaf_hash(entry), |height, hash| {
            if !height.is_multiple_of(TILE_HEIGHT) {
                return;
            }
            let level = (height / TILE_HEIGHT) as usize;
            if unfinished.len() == level {
                unfinished.push(Vec::with_capacity(TILE_WIDTH.into()));
            }
            unfinished[level].push(hash);
            if let Some(tile) = full_tile(height / TILE_HEIGHT, size).filter(|_| is_full(&unfinished[level])) {
                appended.tiles.push((tile, take(&mut unfinished[level])));
            }
        });
        entries.push(*entry);
        if is_full(entries) {
            let bundle = BundleId::at_size((size - 1) / u64::from(TILE_WIDTH), size);
            appended.bundles.extend(bundle.map(|bundle| (bundle, take(entries))));
        }
    }
}

impl Appended {
    /// The tiles with their bytes, by level and index. Those that are not full take the place of a narrower version.
    pub fn tiles(&self) -> impl Iterator<Item = (TileId, Vec<u8>)> {
        self.tiles.iter().map(|(tile, hashes)| (*tile, hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()))
    }

    /// The bundles of entries with their bytes, by index.
    pub fn bundles(&self) -> impl Iterator<Item = (BundleId, Vec<u8>)> {
        self.bundles.iter().map(|(bundle, entries)| (*bundle, bytes_of(entries)))
    }

    /// The bundles' entries, by index.
    pub fn entries(&self) -> impl Iterator<Item = (BundleId, &[Digest])> {
        self.bundles.iter().map(|(bundle, entries)| (*bundle, entries.as_slice()))
    }

    /// Adds the tiles to those that are at hand.
    pub fn add_to(&self, tiles: &mut TileSet) {
        for (tile, hashes) in &self.tiles {
            tiles.insert_hashes(*tile, hashes.clone());
        }
    }
}

fn is_full(of: &[Digest]) -> bool {
    of.len() == usize::from(TILE_WIDTH)
}

fn take(of: &mut Vec<Digest>) -> Vec<Digest> {
    std::mem::replace(of, Vec::with_capacity(TILE_WIDTH.into()))
}

/// The tile that ends where a tree of that size ends.
fn full_tile(level: u32, size: u64) -> Option<TileId> {
    let level = u8::try_from(level).ok()?;
    TileId::at_size(level, (size >> (TILE_HEIGHT * u32::from(level))).checked_sub(1)? / u64::from(TILE_WIDTH), size)
}

/// The bundle that is not full at that size.
fn last_bundle(size: u64) -> Option<BundleId> {
    BundleId::at_size(size / u64::from(TILE_WIDTH), size)
}
