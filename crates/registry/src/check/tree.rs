use super::report::Kind;
use super::{Check, CheckError};
use artdag_anchoring::Digest;
use artdag_anchoring::log::{Appender, BundleId, Frontier, TILE_WIDTH, TileId, leaf_hash};
use std::collections::BTreeMap;

const WIDTH: u64 = TILE_WIDTH as u64;
const HASH: usize = 32;

/// The log's tree as it is computed anew, one bundle of entries after the other.
#[derive(Default)]
pub(super) struct Regrown {
    appender: Appender,
    /// By level the tile that is not full yet: at most one node of each level comes with a bundle.
    unfinished: BTreeMap<u8, (TileId, Vec<u8>)>,
    /// The same tree once more, to know its root at every size.
    frontier: Frontier,
    /// An entry is nowhere to be had: from there on nothing can be computed.
    is_lost: bool,
}

impl Regrown {
    /// Takes in the next entry. Answers the root of the tree with it.
    pub(super) fn grow(&mut self, entry: Option<&Digest>) {
        match entry {
            Some(entry) if !self.is_lost => self.frontier.append(entry),
            _ => self.is_lost = true,
        }
    }

    /// The root of the tree as far as it has grown, if it could be computed.
    pub(super) fn root(&self) -> Option<Digest> {
        (!self.is_lost).then(|| self.frontier.root())
    }
}

impl Check<'_> {
    /// Compares a bundle of the tree of that size, and the tiles that end with it, with what follows from the texts of
    /// the activities. Answers its entries as they must have been.
    pub(super) async fn bundle(
        &mut self,
        regrown: &mut Regrown,
        bundle: BundleId,
        texts: &[Option<Digest>],
        size: u64,
    ) -> Result<Vec<Option<Digest>>, CheckError> {
        let (index, width) = (bundle.index(), usize::from(bundle.width()));
        let entries = self.stored_tile(None, index).await?;
        let leaves = self.stored_tile(Some(0), index).await?;
        let mut settled = Vec::with_capacity(width);
        for at in 0..width {
            let text = texts.get(at).copied().flatten();
            let entry = settle(text, hash_at(entries.as_deref(), at), hash_at(leaves.as_deref(), at));
            if text.is_some() && text != entry {
                let place = index * WIDTH + at as u64;
                self.report.faults.add(Kind::Activity, place, "its text is not the one that was put into the log");
            }
            settled.push(entry);
        }
        let Some(known) = settled.iter().copied().collect::<Option<Vec<Digest>>>().filter(|_| !regrown.is_lost) else {
            if !regrown.is_lost {
                let from = index * WIDTH;
                let what =
                    format!("cannot be computed anew from place {from} on, so nothing behind is compared with it");
                self.report.faults.add(Kind::Log, "tree", what);
            }
            return Ok(settled);
        };
        let appended = regrown.appender.append(&known);
        let expected: Vec<u8> = known.iter().flat_map(|entry| *entry.as_bytes()).collect();
        self.compare(bundle, &expected, entries.as_deref());
        for (tile, expected) in appended.tiles() {
            regrown.unfinished.insert(tile.level(), (tile, expected));
        }
        // A tile is compared when it is full, or nothing more comes.
        let is_last = regrown.appender.size() == size;
        let tiles = std::mem::take(&mut regrown.unfinished).into_iter();
        let (done, unfinished): (BTreeMap<_, _>, _) = tiles.partition(|(_, (tile, _))| is_last || tile.is_full());
        regrown.unfinished = unfinished;
        for (tile, expected) in done.into_values() {
            match tile.level() {
                0 => self.compare(tile, &expected, leaves.as_deref()),
                level => {
                    let stored = self.stored_tile(Some(level), tile.index()).await?;
                    self.compare(tile, &expected, stored.as_deref());
                }
            }
        }
        Ok(settled)
    }

    async fn stored_tile(&mut self, level: Option<u8>, index: u64) -> Result<Option<Vec<u8>>, CheckError> {
        Ok(self.reader.stored_tiles(level, index..index + 1, 1).await?.pop().map(|(_, hashes)| hashes))
    }

    /// A tile may have grown meanwhile; then it begins as it was.
    fn compare(&mut self, name: impl std::fmt::Display, expected: &[u8], stored: Option<&[u8]>) {
        self.report.tiles += 1;
        let faults = &mut self.report.faults;
        let Some(stored) = stored else { return faults.add(Kind::Tile, name, "is not there") };
        let differs = expected.chunks(HASH).zip(stored.chunks(HASH)).position(|(expected, stored)| expected != stored);
        if let Some(at) = differs {
            faults.add(Kind::Tile, name, format!("hash {at} is not the one that follows from the activities"));
        } else if stored.len() < expected.len() {
            let (has, needs) = (stored.len() / HASH, expected.len() / HASH);
            faults.add(Kind::Tile, name, format!("has {has} hashes, and {needs} are in the tree"));
        }
    }

    /// Finds tiles that are in no tree of the log. `checked` is its size at the beginning.
    pub(super) async fn surplus_tiles(&mut self, checked: u64) -> Result<(), CheckError> {
        for level in [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)] {
            let height = u32::from(level.unwrap_or(0)) * 8;
            let mut from = (checked >> height) / WIDTH;
            loop {
                let tiles = self.reader.stored_tiles(level, from..u64::MAX, 64).await?;
                // Looked up later than the tiles, of which none can be larger then.
                let size = self.reader.log_head().await?.tree_size;
                let Some((last, _)) = tiles.last() else { break };
                from = last + 1;
                for (index, hashes) in tiles {
                    let width = TileId::at_size(level.unwrap_or(0), index, size).map_or(0, |tile| tile.width().into());
                    if hashes.len() > width * HASH {
                        let name = level.map_or_else(|| "entries".to_owned(), |level| level.to_string());
                        let what = format!("has {} hashes, and {width} are in the tree", hashes.len() / HASH);
                        self.report.faults.add(Kind::Tile, format!("{name}/{index:03}"), what);
                    }
                }
            }
        }
        Ok(())
    }
}

fn hash_at(hashes: Option<&[u8]>, at: usize) -> Option<Digest> {
    hashes?.as_chunks().0.get(at).copied().map(Digest::from_bytes)
}

/// Which entry was put into the tree: the same thing is stored as a text, as an entry and as a leaf, and the one that
/// stands alone is wrong.
fn settle(text: Option<Digest>, entry: Option<Digest>, leaf: Option<Digest>) -> Option<Digest> {
    let is_the_leaf = |entry: &Digest| leaf.is_some_and(|leaf| leaf_hash(entry) == leaf);
    text.filter(|text| entry == Some(*text) || is_the_leaf(text)).or(entry.filter(is_the_leaf)).or(text).or(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_alone_is_wrong() {
        let [right, wrong, other] = [b"a", b"b", b"c"].map(|text| Digest::of(text));
        let leaf = leaf_hash;
        for (text, entry, leaf, expected) in [
            (Some(right), Some(right), Some(leaf(&right)), Some(right)),
            (Some(wrong), Some(right), Some(leaf(&right)), Some(right)),
            (Some(right), Some(wrong), Some(leaf(&right)), Some(right)),
            (Some(right), Some(right), Some(leaf(&wrong)), Some(right)),
            (Some(right), None, Some(leaf(&right)), Some(right)),
            (Some(right), Some(right), None, Some(right)),
            (None, Some(right), Some(leaf(&right)), Some(right)),
            // Nothing agrees: what was signed by its author counts.
            (Some(right), Some(wrong), Some(leaf(&other)), Some(right)),
            (Some(right), Some(wrong), None, Some(right)),
            (None, Some(right), Some(leaf(&other)), Some(right)),
            (None, None, Some(leaf(&right)), None),
        ] {
            assert_eq!(settle(text, entry, leaf), expected, "{text:?} {entry:?} {leaf:?}");
        }
    }
}
