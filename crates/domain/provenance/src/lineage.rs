use crate::RunId;
use artdag_kernel::{ContentHash, Instant};

/// The neighbourhood of one asset in the graph of what was made from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// The content it was asked for.
    pub root: ContentHash,
    /// The root first, then by distance, then by hash.
    pub nodes: Vec<LineageNode>,
    /// Between nodes of this lineage only, each once, sorted.
    pub edges: Vec<LineageEdge>,
    /// Nothing was left out.
    pub is_complete: bool,
}

/// One content.
#[derive(Clone, Debug, PartialEq)]
pub struct LineageNode {
    /// Its hash.
    pub content_hash: ContentHash,
    /// How many steps it is from the root: negative towards what it was made from, positive towards what was
    /// made from it. On a circle, the nearest way counts, and ancestors before descendants.
    pub distance: i32,
    /// The asset with this content, if it is registered here and not deleted.
    pub asset: Option<LineageAsset>,
}

/// What a lineage tells of an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct LineageAsset {
    /// Its name.
    pub name: String,
    /// What kind of thing it is.
    pub asset_type: String,
    /// Its owner's username.
    pub owner: String,
    /// When it was registered.
    pub created_at: Instant,
    /// The recipe's name, or its description as JSON text.
    pub recipe: Option<String>,
    /// The renderer that made it.
    pub l1_server: Option<String>,
    /// The run that made it.
    pub run_id: Option<RunId>,
}

/// One was made from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineageEdge {
    /// What was made.
    pub made: ContentHash,
    /// What went in.
    pub from: ContentHash,
}

impl Lineage {
    /// What this content was made from, as far as this lineage reaches.
    pub fn parents_of(&self, made: ContentHash) -> impl Iterator<Item = ContentHash> + '_ {
        self.edges.iter().filter(move |edge| edge.made == made).map(|edge| edge.from)
    }

    /// What was made from this content, as far as this lineage reaches.
    pub fn children_of(&self, from: ContentHash) -> impl Iterator<Item = ContentHash> + '_ {
        self.edges.iter().filter(move |edge| edge.from == from).map(|edge| edge.made)
    }

    /// What is known of this content.
    pub fn node(&self, content: ContentHash) -> Option<&LineageNode> {
        self.nodes.iter().find(|node| node.content_hash == content)
    }
}

impl LineageAsset {
    /// Something is claimed about its making beyond what went in: a recipe, a renderer or a run.
    pub const fn is_made(&self) -> bool {
        self.recipe.is_some() || self.l1_server.is_some() || self.run_id.is_some()
    }
}
