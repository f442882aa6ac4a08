//! Walks the graph of what was made from what, one generation a query.
//!
//! A recursive query would have to carry the way it came to know a circle, and would walk every way to the same node.
//! Here every node is walked once each way, and the walk ends where the answer is full.

use super::super::Backend;
use super::super::schema::{asset_inputs, assets};
use super::rows::Place;
use super::{Mode, Session};
use artdag_kernel::{ContentHash, Instant, StoreError};
use artdag_provenance::{Lineage, LineageAsset, LineageEdge, LineageNode, Provenance};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// How many hashes one query asks for.
const CHUNK: usize = 500;
/// How many rows one query answers at least, if there are so many.
const PAGE: usize = 1000;

pub(super) struct Walk {
    root: ContentHash,
    depth: i32,
    max_nodes: usize,
    /// The nodes found so far. What is found first is found on the nearest way.
    distances: HashMap<ContentHash, i32>,
    /// What is registered with the content of a node, as far as that was read.
    claims: HashMap<ContentHash, Option<Claim>>,
}

struct Claim {
    asset: LineageAsset,
    inputs: Vec<ContentHash>,
}

/// How far the walk in one direction is.
struct Front {
    seen: HashSet<ContentHash>,
    /// The assets on the way down. One that was made from many is looked at once.
    met: HashSet<String>,
    /// What was seen last, in order.
    last: BTreeSet<ContentHash>,
}

impl Front {
    fn at(root: ContentHash) -> Self {
        Self { seen: HashSet::from([root]), met: HashSet::new(), last: BTreeSet::from([root]) }
    }
}

/// There is more than the bounds let in.
struct Cut;

impl Walk {
    pub(super) fn new(root: ContentHash, depth: u16, max_nodes: u32) -> Self {
        Self {
            root,
            depth: i32::from(depth),
            max_nodes: usize::try_from(max_nodes).unwrap_or(usize::MAX),
            distances: HashMap::from([(root, 0)]),
            claims: HashMap::new(),
        }
    }

    pub(super) async fn run<M: Mode>(mut self, session: &mut Session<M>) -> Result<Lineage, StoreError> {
        let is_complete = self.explore(session).await?.is_ok();
        let nodes = self.distances.keys().copied().collect();
        self.read_claims(session, &nodes).await?;
        Ok(self.finish(is_complete))
    }

    /// One generation after the other, ancestors first. Behind the last generation it still follows what is in the
    /// lineage already, as on a circle, to learn whether anything else is left out.
    async fn explore<M: Mode>(&mut self, session: &mut Session<M>) -> Result<Result<(), Cut>, StoreError> {
        let (mut up, mut down) = (Front::at(self.root), Front::at(self.root));
        for step in 1.. {
            self.read_claims(session, &up.last).await?;
            if self.ascend(&mut up, step).is_err() || self.descend(session, &mut down, step).await?.is_err() {
                return Ok(Err(Cut));
            }
            if up.last.is_empty() && down.last.is_empty() {
                break;
            }
        }
        Ok(Ok(()))
    }

    fn ascend(&mut self, front: &mut Front, step: i32) -> Result<(), Cut> {
        let claims = front.last.iter().filter_map(|made| self.claims.get(made)?.as_ref());
        let inputs: BTreeSet<_> = claims.flat_map(|claim| &claim.inputs).copied().collect();
        front.last = inputs.into_iter().filter(|input| front.seen.insert(*input)).collect();
        front.last.iter().try_for_each(|input| self.admit(*input, -step, step))
    }

    async fn descend<M: Mode>(
        &mut self,
        session: &mut Session<M>,
        front: &mut Front,
        step: i32,
    ) -> Result<Result<(), Cut>, StoreError> {
        let inputs: Vec<String> = std::mem::take(&mut front.last).iter().map(ContentHash::to_bare_hex).collect();
        // One more than the lineage can hold: one page of what was made from an input is enough to fill it.
        let page = PAGE.max(self.max_nodes.saturating_add(1));
        for chunk in inputs.chunks(CHUNK) {
            let mut after = None;
            loop {
                let query = children(chunk, after, page);
                let rows: Vec<(String, String)> = session.run(|conn| query.load(conn)).await?;
                let is_last = rows.len() < page;
                after = rows.last().cloned();
                let mut made: Vec<String> = rows.into_iter().map(|(_, id)| id).collect();
                made.retain(|id| front.met.insert(id.clone()));
                for ids in made.chunks(CHUNK) {
                    if self.meet(session, front, ids, step).await?.is_err() {
                        return Ok(Err(Cut));
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(Ok(()))
    }

    /// Takes in assets that were found on the way down, oldest first.
    async fn meet<M: Mode>(
        &mut self,
        session: &mut Session<M>,
        front: &mut Front,
        ids: &[String],
        step: i32,
    ) -> Result<Result<(), Cut>, StoreError> {
        let query = claims_of(ids);
        let mut rows: Vec<ClaimRow> = session.run(|conn| query.load(conn)).await?;
        rows.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for row in rows {
            let (made, claim) = row.read()?;
            if front.seen.insert(made) {
                if self.admit(made, step, step).is_err() {
                    return Ok(Err(Cut));
                }
                self.claims.insert(made, Some(claim));
                front.last.insert(made);
            }
        }
        Ok(Ok(()))
    }

    fn admit(&mut self, hash: ContentHash, distance: i32, step: i32) -> Result<(), Cut> {
        if self.distances.contains_key(&hash) {
            return Ok(());
        }
        if step > self.depth || self.distances.len() >= self.max_nodes {
            return Err(Cut);
        }
        self.distances.insert(hash, distance);
        Ok(())
    }

    async fn read_claims<M: Mode>(
        &mut self,
        session: &mut Session<M>,
        of: &BTreeSet<ContentHash>,
    ) -> Result<(), StoreError> {
        let unread: Vec<ContentHash> = of.iter().filter(|hash| !self.claims.contains_key(hash)).copied().collect();
        for chunk in unread.chunks(CHUNK) {
            let query = claims(chunk);
            let rows: Vec<ClaimRow> = session.run(|conn| query.load(conn)).await?;
            self.claims.extend(chunk.iter().map(|hash| (*hash, None)));
            for row in rows {
                let (hash, claim) = row.read()?;
                self.claims.insert(hash, Some(claim));
            }
        }
        Ok(())
    }

    fn finish(self, is_complete: bool) -> Lineage {
        let Self { root, distances, mut claims, .. } = self;
        let mut nodes = Vec::with_capacity(distances.len());
        let mut edges = Vec::new();
        for (&content_hash, &distance) in &distances {
            let claim = claims.remove(&content_hash).flatten();
            let inputs = claim.iter().flat_map(|claim| &claim.inputs).filter(|input| distances.contains_key(input));
            edges.extend(inputs.map(|input| LineageEdge { made: content_hash, from: *input }));
            nodes.push(LineageNode { content_hash, distance, asset: claim.map(|claim| claim.asset) });
        }
        nodes.sort_unstable_by_key(|node| (node.distance.abs(), node.content_hash));
        edges.sort_unstable();
        Lineage { root, nodes, edges, is_complete }
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn claims_of(ids: &[String]) -> _ {
    let ids: Vec<String> = ids.to_vec();
    let columns: diesel::dsl::AsSelect<ClaimRow, Backend> = ClaimRow::as_select();
    assets::table.filter(assets::id.eq_any(ids)).filter(assets::deleted_at.is_null()).select(columns)
}

#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn claims(hashes: &[ContentHash]) -> _ {
    let hashes: Vec<String> = hashes.iter().map(ContentHash::to_bare_hex).collect();
    let columns: diesel::dsl::AsSelect<ClaimRow, Backend> = ClaimRow::as_select();
    assets::table.filter(assets::content_hash.eq_any(hashes)).filter(assets::deleted_at.is_null()).select(columns)
}

type Inputs<'a> = asset_inputs::BoxedQuery<'a, Backend, (Text, Text)>;

/// What names one of these as an input: one page, in the order of the primary key. Inputs are there of live assets
/// only. It is not joined with them: PostgreSQL would rather join a page with all assets.
pub(super) fn children<'a>(inputs: &[String], after: Option<(String, String)>, page: usize) -> Inputs<'a> {
    let first = after.as_ref().map_or("", |(input, _)| input);
    let inputs: Vec<String> = inputs.iter().filter(|input| input.as_str() >= first).cloned().collect();
    let mut query = asset_inputs::table
        .select((asset_inputs::input_hash, asset_inputs::asset_id))
        .filter(asset_inputs::input_hash.eq_any(inputs))
        .order((asset_inputs::input_hash, asset_inputs::asset_id))
        .limit(i64::try_from(page).unwrap_or(i64::MAX))
        .into_boxed();
    if let Some((input, id)) = after {
        query = query.filter(asset_inputs::input_hash.ne(input).or(asset_inputs::asset_id.gt(id)));
    }
    query
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = assets, check_for_backend(Backend))]
pub(super) struct ClaimRow {
    id: String,
    name: String,
    content_hash: String,
    owner: String,
    asset_type: String,
    provenance: String,
    created_at: Instant,
}

impl ClaimRow {
    fn read(self) -> Result<(ContentHash, Claim), StoreError> {
        let at = Place { table: "assets", row: &self.id };
        let provenance: Value = at.parse("provenance", &self.provenance)?;
        let provenance = at.sound("provenance", Provenance::from_json(&provenance))?;
        let recipe = provenance.recipe().map(|recipe| match recipe {
            Value::String(name) => name.clone(),
            description => description.to_string(),
        });
        let asset = LineageAsset {
            name: self.name,
            asset_type: self.asset_type,
            owner: self.owner,
            created_at: self.created_at,
            recipe,
            l1_server: provenance.l1_server().map(ToOwned::to_owned),
            run_id: provenance.run_id().cloned(),
        };
        let inputs = provenance.inputs().to_vec();
        Ok((at.parse("content_hash", &self.content_hash)?, Claim { asset, inputs }))
    }
}
