use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

/// How many things of a kind are named: what is wrong with more is wrong with all of them.
const MOST_NAMED: u64 = 100;

/// What kind of thing is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The log as a whole.
    Log,
    /// A published activity.
    Activity,
    /// A tile of the log's tree, or a bundle of its entries.
    Tile,
    /// A signed state of the log.
    Checkpoint,
    /// A stamping of the log.
    Anchor,
    /// A live asset.
    Asset,
}

impl Kind {
    /// What one of them is called, and what several are.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Log => ("log", "logs"),
            Self::Activity => ("activity", "activities"),
            Self::Tile => ("tile", "tiles"),
            Self::Checkpoint => ("checkpoint", "checkpoints"),
            Self::Anchor => ("anchor", "anchors"),
            Self::Asset => ("asset", "assets"),
        }
    }
}

/// Something about a thing that is stored.
#[derive(Debug)]
pub struct Remark {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub name: String,
    /// What about it.
    pub what: Box<dyn Error + Send + Sync>,
}

/// Its causes are those of [`Remark::what`].
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.words().0, self.name, self.what)
    }
}

impl Error for Remark {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.what.source()
    }
}

/// Remarks, of which only the first hundred of each kind are kept, however many there are.
#[derive(Debug, Default)]
pub struct Remarks {
    named: Vec<Remark>,
    counts: BTreeMap<Kind, u64>,
}

impl Remarks {
    pub(super) fn add(&mut self, kind: Kind, name: impl fmt::Display, what: impl Into<Box<dyn Error + Send + Sync>>) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= MOST_NAMED {
            self.named.push(Remark { kind, name: name.to_string(), what: what.into() });
        }
    }

    /// Those that are kept, as they were made.
    pub fn named(&self) -> &[Remark] {
        &self.named
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many more there are of each kind than are kept.
    pub fn unnamed(&self) -> impl Iterator<Item = (Kind, u64)> {
        let more = |(kind, count): (&Kind, &u64)| (*kind, count.saturating_sub(MOST_NAMED));
        self.counts.iter().map(more).filter(|(_, more)| *more > 0)
    }
}

/// What was checked, and what came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How many activities were checked.
    pub activities: u64,
    /// How many tiles and bundles.
    pub tiles: u64,
    /// How many checkpoints.
    pub checkpoints: u64,
    /// How many anchors.
    pub anchors: u64,
    /// How many live assets.
    pub assets: u64,
    /// What is wrong.
    pub faults: Remarks,
    /// What could not be found out, and says nothing.
    pub unknown: Remarks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_of_each_kind_are_named_and_all_are_counted() {
        let mut remarks = Remarks::default();
        for n in 0..350 {
            remarks.add(Kind::Tile, n, "is not there");
            if n < 100 {
                remarks.add(Kind::Asset, n, format!("has no claim {n}"));
            }
        }
        assert_eq!((remarks.count(), remarks.named().len()), (450, 200));
        assert_eq!(remarks.unnamed().collect::<Vec<_>>(), [(Kind::Tile, 250)]);
        assert_eq!(remarks.named()[1].to_string(), "asset 0: has no claim 0");
        assert_eq!(remarks.named()[198].to_string(), "tile 99: is not there");
    }
}
