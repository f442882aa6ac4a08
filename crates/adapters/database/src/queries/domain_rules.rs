//! What the operator decided about other servers.

use super::super::Backend;
use super::super::schema::domain_rules;
use super::rows::Place;
use super::statement::Statement;
use super::{Mode, Session, Writing};
use artdag_federation::{DomainPattern, DomainRule};
use artdag_kernel::{Instant, StoreError};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

const SAVE: &str = "\
    insert into domain_rules (pattern, action, reason, created_at) values (?, ?, ?, ?) \
    on conflict (pattern) do update set action = excluded.action, reason = excluded.reason, \
        created_at = excluded.created_at";

pub(super) async fn list<M: Mode>(session: &mut Session<M>) -> Result<Vec<DomainRule>, StoreError> {
    let query = domain_rules::table.order(domain_rules::pattern).select(RuleRow::as_select());
    let rows: Vec<RuleRow> = session.run(|conn| query.load(conn)).await?;
    rows.into_iter().map(DomainRule::try_from).collect()
}

pub(super) async fn save(session: &mut Session<Writing>, rule: &DomainRule) -> Result<(), StoreError> {
    let save = Statement::new(SAVE)
        .with(rule.pattern.as_str())
        .with(rule.action.as_str())
        .with(rule.reason.clone())
        .with(rule.created_at);
    session.execute(save).await.map(drop)
}

pub(super) async fn remove(session: &mut Session<Writing>, pattern: &DomainPattern) -> Result<bool, StoreError> {
    let query = Statement::new("delete from domain_rules where pattern = ?").with(pattern.as_str());
    session.execute(query).await.map(|n| n > 0)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = domain_rules, check_for_backend(Backend))]
struct RuleRow {
    pattern: String,
    action: String,
    reason: Option<String>,
    created_at: Instant,
}

impl TryFrom<RuleRow> for DomainRule {
    type Error = StoreError;

    fn try_from(row: RuleRow) -> Result<Self, StoreError> {
        let at = Place { table: "domain_rules", row: &row.pattern };
        Ok(Self {
            pattern: at.parse("pattern", &row.pattern)?,
            action: at.parse("action", &row.action)?,
            reason: row.reason,
            created_at: row.created_at,
        })
    }
}
