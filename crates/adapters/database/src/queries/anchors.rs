//! `AnchorReads`, `AnchorRepository`

use super::super::Backend;
use super::super::schema::{Moment, anchor_asks, anchors};
use super::rows::Place;
use super::statement::{Select, Statement};
use super::{Mode, Session, Writing, count, micros, place};
use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::ots::Timestamp;
use artdag_anchoring::{
    Anchor, AnchorReads, AnchorRepository, AnchorState, Ask, Claim, Digest, Evidence, Question, Standing,
};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::RunQueryDsl;
use std::collections::{BTreeMap, BTreeSet};

/// How many places or anchors one query asks for, and how many asks one writes. The engines bound its values.
const CHUNK: usize = 500;

/// These places, each with the size of the tree by which it is proven best: the smallest that is confirmed on this
/// network, or else the smallest that was stamped for it and not given up, or else the smallest of all. Both engines
/// name the column of `values` so.
pub(super) fn best_trees(indices: &[i64], network: Option<Network>) -> Statement<(BigInt, Nullable<BigInt>)> {
    let places = vec!["(cast(? as bigint))"; indices.len()].join(", ");
    let behind = "select min(tree_size) from anchors where tree_size > wanted.column1";
    // It may not have been written down which one it is.
    let (fits, network) = match network {
        Some(network) => ("and coalesce(network, ?) = ?", Some(network.as_str())),
        None => ("", None),
    };
    let query = Statement::new(format!(
        "select wanted.column1, coalesce(\
            ({behind} and state = 'confirmed' {fits}), ({behind} and state <> 'failed' {fits}), ({behind})\
        ) from (values {places}) as wanted"
    ))
    .varied();
    let query = network.into_iter().fold(query, |query, word| (0..4).fold(query, |query, _| query.with(word)));
    indices.iter().fold(query, |query, index| query.with(*index))
}

pub(super) fn anchors_at(sizes: &[i64]) -> Select<AnchorRow> {
    Select::new(of_trees("from anchors where tree_size in ({sizes})", sizes))
}

/// In their order for each anchor.
pub(super) fn asks_at(sizes: &[i64]) -> Select<AskRow> {
    Select::new(of_trees("from anchor_asks where tree_size in ({sizes}) order by tree_size, position", sizes))
}

fn of_trees(text: &str, sizes: &[i64]) -> Statement {
    let query = Statement::new(text.replace("{sizes}", &vec!["?"; sizes.len()].join(", "))).varied();
    sizes.iter().fold(query, |query, size| query.with(*size))
}

pub(super) fn largest(before: Option<u64>, limit: u16) -> Select<AnchorRow> {
    // Beyond what can be stored there is nothing to leave out.
    let before = before.and_then(place).unwrap_or(i64::MAX);
    let query = Statement::new("from anchors where tree_size < ? order by tree_size desc limit ?");
    Select::new(query.with(before).with(limit))
}

pub(super) fn due(now: Instant, limit: u16) -> Select<AnchorRow> {
    let query = Statement::new("from anchors where due_at <= ? order by due_at, tree_size limit ?");
    Select::new(query.with(now).with(limit))
}

/// Lowest block first.
pub(super) fn from_block(height: u32) -> Select<AnchorRow> {
    let text = "from anchors where state = 'confirmed' and block_height >= ? order by block_height, tree_size";
    Select::new(Statement::new(text).with(i64::from(height)))
}

pub(super) fn next_due() -> Statement<Nullable<Moment>> {
    // Only those with a time are in the index.
    Statement::new("select min(due_at) from anchors where due_at is not null")
}

#[async_trait]
impl<M: Mode> AnchorReads for Session<M> {
    async fn find_anchor(&mut self, root: &Digest) -> Result<Option<Anchor>, StoreError> {
        let query = Statement::new("from anchors where root = ?").with(*root);
        Ok(self.load_anchors(Select::new(query)).await?.pop())
    }

    async fn anchors_of(
        &mut self,
        indices: &[u64],
        network: Option<Network>,
    ) -> Result<Vec<Option<Anchor>>, StoreError> {
        let wanted: BTreeSet<i64> = indices.iter().copied().filter_map(place).collect();
        let mut sizes = BTreeMap::new();
        for wanted in Vec::from_iter(wanted).chunks(CHUNK) {
            let query = best_trees(wanted, network);
            let found: Vec<(i64, Option<i64>)> = self.run(|conn| query.load(conn)).await?;
            sizes.extend(found.into_iter().filter_map(|(index, size)| Some((count(index), size?))));
        }
        let mut found = BTreeMap::new();
        for sizes in Vec::from_iter(BTreeSet::from_iter(sizes.values().copied())).chunks(CHUNK) {
            let anchors = self.load_anchors(anchors_at(sizes)).await?;
            found.extend(anchors.into_iter().map(|anchor| (anchor.tree_size, anchor)));
        }
        let best = |index: &u64| found.get(&count(*sizes.get(index)?)).cloned();
        Ok(indices.iter().map(best).collect())
    }

    async fn list_anchors(&mut self, before: Option<u64>, limit: u16) -> Result<Vec<Anchor>, StoreError> {
        self.load_anchors(largest(before, limit)).await
    }

    async fn count_anchors(&mut self) -> Result<u64, StoreError> {
        self.run(|conn| anchors::table.count().get_result(conn)).await.map(count)
    }

    async fn due_anchors(&mut self, now: Instant, limit: u16) -> Result<Vec<Result<Anchor, StoreError>>, StoreError> {
        self.load_each_anchor(due(now, limit)).await
    }

    async fn next_anchor_due(&mut self) -> Result<Option<Instant>, StoreError> {
        let query = next_due();
        self.run(|conn| query.get_result(conn)).await
    }

    async fn anchors_from_block(&mut self, height: u32) -> Result<Vec<Result<Anchor, StoreError>>, StoreError> {
        self.load_each_anchor(from_block(height)).await
    }
}

#[async_trait]
impl AnchorRepository for Session<Writing> {
    async fn add_anchor(&mut self, anchor: &Anchor) -> Result<bool, StoreError> {
        let row = AnchorRow::try_from(anchor)?;
        let tree_size = row.tree_size;
        let query = diesel::insert_into(anchors::table).values(row).on_conflict_do_nothing();
        if self.run(|conn| query.execute(conn)).await? == 0 {
            return Ok(false);
        }
        self.add_asks(tree_size, &anchor.asks).await.map(|()| true)
    }

    async fn save_anchor(&mut self, anchor: &Anchor) -> Result<bool, StoreError> {
        let Some(tree_size) = place(anchor.tree_size) else {
            return Ok(false);
        };
        let mut progress = ProgressRow::try_from(anchor)?;
        let same = anchors::table.find(tree_size).filter(anchors::revision.eq(progress.revision));
        progress.revision += 1;
        // First, since whoever else saves this anchor waits here for the end of this unit of work.
        let query = diesel::update(same).set(progress);
        if self.run(|conn| query.execute(conn)).await? == 0 {
            return Ok(false);
        }
        let query = diesel::delete(anchor_asks::table.filter(anchor_asks::tree_size.eq(tree_size)));
        self.run(|conn| query.execute(conn)).await?;
        self.add_asks(tree_size, &anchor.asks).await.map(|()| true)
    }
}

impl<M: Mode> Session<M> {
    /// The anchors with their asks. These are read later, and may have become others meanwhile: the anchor is of an old
    /// revision then, and cannot be saved.
    async fn load_anchors(&mut self, query: Select<AnchorRow>) -> Result<Vec<Anchor>, StoreError> {
        self.load_each_anchor(query).await?.into_iter().collect()
    }

    async fn load_each_anchor(
        &mut self,
        query: Select<AnchorRow>,
    ) -> Result<Vec<Result<Anchor, StoreError>>, StoreError> {
        let rows: Vec<AnchorRow> = self.run(|conn| query.load(conn)).await?;
        let sizes: Vec<i64> = rows.iter().map(|row| row.tree_size).collect();
        let mut asks: BTreeMap<u64, Vec<AskRow>> = BTreeMap::new();
        for sizes in sizes.chunks(CHUNK) {
            let query = asks_at(sizes);
            let rows: Vec<AskRow> = self.run(|conn| query.load(conn)).await?;
            for row in rows {
                asks.entry(count(row.tree_size)).or_default().push(row);
            }
        }
        let anchor = |row: AnchorRow| {
            let mut anchor = Anchor::try_from(row)?;
            let digest = anchor.digest();
            let rows = asks.remove(&anchor.tree_size).unwrap_or_default();
            anchor.asks = rows.into_iter().map(|row| row.of(&digest)).collect::<Result<_, _>>()?;
            Ok(anchor)
        };
        Ok(rows.into_iter().map(anchor).collect())
    }
}

impl Session<Writing> {
    async fn add_asks(&mut self, tree_size: i64, asks: &[Ask]) -> Result<(), StoreError> {
        let mut asks: Vec<&Ask> = asks.iter().collect();
        asks.sort_unstable_by_key(|ask| (ask.question != Question::Submit, &ask.calendar, &ask.question));
        let rows: Vec<(i64, &Ask)> = (0..).zip(asks).collect();
        for rows in rows.chunks(CHUNK) {
            let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
            let add = Statement::new(format!(
                "insert into anchor_asks (tree_size, position, calendar, message, standing, detail, failures, asked_at, \
                due_at, answer, verified) values {values}"
            ))
            .varied();
            let at = Place { table: "anchor_asks", row: &tree_size.to_string() };
            let answers = rows.iter().map(|(_, ask)| ask.answer.as_ref().map(Timestamp::to_bytes).transpose());
            let answers: Vec<Option<Vec<u8>>> = at.sound("answer", answers.collect())?;
            self.execute(rows.iter().zip(answers).fold(add, |add, ((position, ask), answer)| {
                let add = add.with(tree_size).with(*position).with(ask.calendar.as_str()).with(message(&ask.question));
                let add = add.with(ask.standing.as_str()).with(ask.detail.clone()).with(i64::from(ask.failures));
                let add = add.with(ask.asked_at).with(ask.due_at);
                add.with(answer.unwrap_or_default()).with(written(&ask.verified))
            }))
            .await?;
        }
        Ok(())
    }
}

/// A submission has an empty one, as no message is.
fn message(question: &Question) -> Vec<u8> {
    match question {
        Question::Submit => Vec::new(),
        Question::Upgrade(message) => message.clone(),
    }
}

/// Only what has the length of a Merkle root can be one.
fn written(verified: &BTreeSet<Claim>) -> Vec<u8> {
    let roots = verified.iter().filter(|(_, root)| root.len() == 32);
    roots.flat_map(|(height, root)| [&height.to_be_bytes()[..], root].concat()).collect()
}

fn read(verified: &[u8]) -> Result<BTreeSet<Claim>, &'static str> {
    let (claims, []) = verified.as_chunks::<36>() else { return Err("its length is not that of claims") };
    let claim = |bytes: &[u8; 36]| {
        let (height, root) = bytes.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*height), root.into()))
    };
    Ok(claims.iter().filter_map(claim).collect())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = anchors, check_for_backend(Backend))]
pub(super) struct AnchorRow {
    pub(super) tree_size: i64,
    from_index: i64,
    root: Vec<u8>,
    checkpoint: Vec<u8>,
    nonces: Vec<u8>,
    created_at: Instant,
    #[diesel(embed)]
    progress: ProgressRow,
}

/// What changes of an anchor.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = anchors, check_for_backend(Backend), treat_none_as_null = true)]
pub(super) struct ProgressRow {
    state: String,
    proof: Option<Vec<u8>>,
    block_height: Option<i64>,
    block_hash: Option<String>,
    block_time: Option<i64>,
    confirmations: Option<i64>,
    assurance: Option<String>,
    header_source: Option<String>,
    verified_at: Option<Instant>,
    stamped_at: Option<Instant>,
    due_at: Option<Instant>,
    revision: i64,
    network: Option<String>,
}

impl TryFrom<AnchorRow> for Anchor {
    type Error = StoreError;

    fn try_from(row: AnchorRow) -> Result<Self, StoreError> {
        let at = Place { table: "anchors", row: &row.tree_size.to_string() };
        let progress = row.progress;
        let mut anchor = Self {
            root: at.digest("root", row.root)?,
            tree_size: at.sound("tree_size", row.tree_size.try_into())?,
            from_index: at.sound("from_index", row.from_index.try_into())?,
            checkpoint: at.digest("checkpoint", row.checkpoint)?,
            nonces: at.sound("nonces", row.nonces.as_chunks().0.try_into())?,
            network: at.parse_some("network", progress.network.as_deref())?,
            state: at.one_of("state", &AnchorState::ALL, AnchorState::as_str, &progress.state)?,
            // In rows of their own.
            asks: Vec::new(),
            timestamp: None,
            evidence: progress.evidence(at)?,
            verified_at: progress.verified_at,
            created_at: row.created_at,
            stamped_at: progress.stamped_at,
            due_at: progress.due_at,
            revision: at.sound("revision", progress.revision.try_into())?,
        };
        // The proof does not repeat of what it is.
        let timestamp = progress.proof.map(|proof| Timestamp::parse(anchor.digest().as_bytes(), &proof)).transpose();
        anchor.timestamp = at.sound("proof", timestamp)?;
        Ok(anchor)
    }
}

impl ProgressRow {
    fn evidence(&self, at: Place<'_>) -> Result<Option<Evidence>, StoreError> {
        let Some(height) = self.block_height else {
            return Ok(None);
        };
        let confirmations = self.confirmations.map(u32::try_from).transpose();
        Ok(Some(Evidence {
            assurance: at.parse("assurance", at.there("assurance", self.assurance.as_deref())?)?,
            height: at.sound("block_height", height.try_into())?,
            block_hash: at.parse("block_hash", at.there("block_hash", self.block_hash.as_deref())?)?,
            block_time: at.sound("block_time", at.there("block_time", self.block_time)?.try_into())?,
            confirmations: at.sound("confirmations", confirmations)?,
            source: at.there("header_source", self.header_source.as_deref())?.to_owned(),
        }))
    }
}

impl TryFrom<&Anchor> for AnchorRow {
    type Error = StoreError;

    fn try_from(anchor: &Anchor) -> Result<Self, StoreError> {
        let at = Place { table: "anchors", row: &anchor.tree_size.to_string() };
        Ok(Self {
            tree_size: at.sound("tree_size", anchor.tree_size.try_into())?,
            from_index: at.sound("from_index", anchor.from_index.try_into())?,
            root: anchor.root.as_bytes().to_vec(),
            checkpoint: anchor.checkpoint.as_bytes().to_vec(),
            nonces: anchor.nonces.concat(),
            created_at: micros(anchor.created_at),
            progress: anchor.try_into()?,
        })
    }
}

impl TryFrom<&Anchor> for ProgressRow {
    type Error = StoreError;

    fn try_from(anchor: &Anchor) -> Result<Self, StoreError> {
        let at = Place { table: "anchors", row: &anchor.tree_size.to_string() };
        let evidence = anchor.evidence.as_ref();
        Ok(Self {
            state: anchor.state.to_string(),
            proof: at.sound("proof", anchor.timestamp.as_ref().map(Timestamp::to_bytes).transpose())?,
            block_height: evidence.map(|evidence| evidence.height.into()),
            block_hash: evidence.map(|evidence| evidence.block_hash.to_string()),
            block_time: evidence.map(|evidence| evidence.block_time.into()),
            confirmations: evidence.and_then(|evidence| evidence.confirmations).map(i64::from),
            assurance: evidence.map(|evidence| evidence.assurance.to_string()),
            header_source: evidence.map(|evidence| evidence.source.clone()),
            verified_at: anchor.verified_at.map(micros),
            stamped_at: anchor.stamped_at.map(micros),
            due_at: anchor.due_at.map(micros),
            revision: anchor.revision.into(),
            network: anchor.network.map(|network| network.to_string()),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = anchor_asks, check_for_backend(Backend))]
pub(super) struct AskRow {
    pub(super) tree_size: i64,
    position: i64,
    calendar: String,
    message: Vec<u8>,
    standing: String,
    detail: Option<String>,
    failures: i64,
    asked_at: Option<Instant>,
    due_at: Instant,
    answer: Vec<u8>,
    verified: Vec<u8>,
}

impl AskRow {
    /// What was asked about the anchor of this digest.
    pub(super) fn of(self, digest: &Digest) -> Result<Ask, StoreError> {
        let at = Place { table: "anchor_asks", row: &format!("{}, {}", self.tree_size, self.position) };
        let question = if self.message.is_empty() { Question::Submit } else { Question::Upgrade(self.message) };
        let message = match &question {
            Question::Submit => digest.as_bytes(),
            Question::Upgrade(message) => message.as_slice(),
        };
        let answer = (!self.answer.is_empty()).then(|| Timestamp::parse(message, &self.answer)).transpose();
        Ok(Ask {
            calendar: at.parse("calendar", &self.calendar)?,
            standing: at.one_of("standing", &Standing::ALL, Standing::as_str, &self.standing)?,
            detail: self.detail,
            failures: at.sound("failures", self.failures.try_into())?,
            asked_at: self.asked_at,
            due_at: self.due_at,
            answer: at.sound("answer", answer)?,
            verified: at.sound("verified", read(&self.verified))?,
            question,
        })
    }
}
