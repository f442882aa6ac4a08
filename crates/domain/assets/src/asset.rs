use crate::{AssetName, AssetType, Details, DetailsPatch};
use artdag_kernel::{ActivityId, AssetId, ContentHash, Instant, Username};
use artdag_provenance::Provenance;
use cid::Cid;

/// A claim as its owner makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAsset {
    /// What it is to be called.
    pub name: AssetName,
    /// What it is.
    pub content_hash: ContentHash,
    /// The same content's name on IPFS.
    pub cid: Option<Cid>,
    /// How it came to be.
    pub provenance: Provenance,
    /// The rest.
    pub details: Details,
}

/// A registered asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// This registration.
    pub id: AssetId,
    /// Its name.
    pub name: AssetName,
    /// Its content.
    pub content_hash: ContentHash,
    /// The same content's name on IPFS.
    pub cid: Option<Cid>,
    /// Whose claim it is.
    pub owner: Username,
    /// How it came to be.
    pub provenance: Provenance,
    /// What may change.
    pub details: Details,
    /// When it was registered.
    pub created_at: Instant,
    /// When its details last changed.
    pub updated_at: Instant,
    /// Counts the changes, from 1. Two writers cannot both make the next one.
    pub revision: u32,
    /// The `Create` activity that claims it.
    pub claim: ActivityId,
    /// That activity's place in the log; `None` until it has one.
    pub claim_index: Option<u64>,
}

/// What is left of a deleted asset. Its name and hash stay its former owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The registration.
    pub id: AssetId,
    /// Its name.
    pub name: AssetName,
    /// Its content.
    pub content_hash: ContentHash,
    /// Whose claim it was.
    pub owner: Username,
    /// What kind of thing it was.
    pub former_type: AssetType,
    /// When it was registered.
    pub created_at: Instant,
    /// When it was deleted.
    pub deleted_at: Instant,
    /// The `Create` activity that claimed it.
    pub claim: ActivityId,
    /// The `Delete` activity that withdrew the claim.
    pub withdrawal: ActivityId,
}

/// What a name or a hash leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Registered {
    /// An asset.
    Live(Box<Asset>),
    /// One that was deleted.
    Deleted(Tombstone),
}

impl Asset {
    /// Registers a claim: revision 1.
    pub fn register(new: NewAsset, owner: Username, id: AssetId, claim: ActivityId, now: Instant) -> Self {
        let NewAsset { name, content_hash, cid, provenance, details } = new;
        Self {
            id,
            name,
            content_hash,
            cid,
            owner,
            provenance,
            details,
            created_at: now,
            updated_at: now,
            revision: 1,
            claim,
            claim_index: None,
        }
    }

    /// Whether this owner making this claim again would say nothing new.
    pub fn is_claim_of(&self, owner: &Username, new: &NewAsset) -> bool {
        self.owner == *owner
            && self.name == new.name
            && self.content_hash == new.content_hash
            && self.cid == new.cid
            && self.provenance == new.provenance
            && self.details == new.details
    }

    /// The next revision, or `None` when the patch changes nothing.
    pub fn edited(&self, patch: DetailsPatch, now: Instant) -> Option<Self> {
        let details = self.details.patched(patch);
        if details == self.details {
            return None;
        }
        Some(Self { details, updated_at: now, revision: self.revision + 1, ..self.clone() })
    }

    /// What is left when it goes.
    pub fn bury(&self, withdrawal: ActivityId, now: Instant) -> Tombstone {
        Tombstone {
            id: self.id,
            name: self.name.clone(),
            content_hash: self.content_hash,
            owner: self.owner.clone(),
            former_type: self.details.asset_type.clone(),
            created_at: self.created_at,
            deleted_at: now,
            claim: self.claim,
            withdrawal,
        }
    }
}
