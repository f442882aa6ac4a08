//! Statements as text: upserts, and what diesel's builder cannot say to both engines. Unlike `sql_query`'s they stay
//! prepared.

use super::super::schema::Moment;
use super::super::{Backend, Connection};
use super::window::Window;
use super::{Mode, Session, micros};
use artdag_anchoring::Digest;
use artdag_federation::Iri;
use artdag_kernel::{ActivityId, Instant, Page, Slice, StoreError, Username};
use diesel::QueryResult;
use diesel::expression::{Expression, Selectable};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use diesel_async::methods::LoadQuery;
use std::borrow::Cow;
use std::marker::PhantomData;

/// A text in which each `?` stands for the next value. `S` is the type of the rows that it answers.
pub(super) struct Statement<S = ()> {
    text: Cow<'static, str>,
    values: Vec<Value>,
    is_varied: bool,
    rows: PhantomData<fn() -> S>,
}

/// A value of a statement.
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Moment(Option<Instant>),
    Flag(bool),
    Bytes(Vec<u8>),
}

impl<S> Statement<S> {
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new(), is_varied: false, rows: PhantomData }
    }

    /// Its text differs with the number of its values. Connections keep every text that they have prepared, for good, and
    /// hundreds of such would only fill memory.
    pub(super) fn varied(self) -> Self {
        Self { is_varied: true, ..self }
    }

    /// Gives the next `?` its value.
    pub(super) fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Goes on with more text.
    pub(super) fn then(mut self, text: &str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// The same behind another text, which has no values.
    pub(super) fn after(mut self, text: &str) -> Self {
        self.text.to_mut().insert_str(0, text);
        self
    }

    /// Goes on with a condition, if there is a value for it.
    pub(super) fn then_if(self, text: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.then(text).with(value),
            None => self,
        }
    }
}

impl<M: Mode> Session<M> {
    /// Runs a statement that answers nothing. Says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        self.run(|conn| statement.execute(conn)).await.map(|n| n as u64)
    }

    /// The rows of a query, as what they stand for.
    pub(super) async fn load<R, T>(&mut self, query: Select<R>) -> Result<Vec<T>, StoreError>
    where
        R: Selectable<Backend> + Send + 'static,
        T: TryFrom<R, Error = StoreError>,
        Select<R>: for<'q> LoadQuery<'q, Connection, R> + Send + 'static,
    {
        let rows: Vec<R> = self.run(|conn| query.load(conn)).await?;
        rows.into_iter().map(T::try_from).collect()
    }

    /// One page of a list: a query that was made for this page.
    pub(super) async fn load_page<R, T>(&mut self, query: Select<R>, page: Page) -> Result<Slice<T>, StoreError>
    where
        R: Selectable<Backend> + Send + 'static,
        T: TryFrom<R, Error = StoreError>,
        Select<R>: for<'q> LoadQuery<'q, Connection, R> + Send + 'static,
    {
        Ok(Slice::from_rows(self.load(query).await?, page))
    }
}

impl<S> QueryFragment<Backend> for Statement<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        if self.is_varied {
            out.unsafe_to_cache_prepared();
        }
        let mut pieces = self.text.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        debug_assert_eq!(pieces.clone().count(), self.values.len(), "{}", self.text);
        for (value, piece) in self.values.iter().zip(pieces) {
            match value {
                Value::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Value::Number(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                Value::Moment(at) => out.push_bind_param::<Nullable<Moment>, _>(at)?,
                Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                Value::Flag(flag) => out.push_bind_param::<Bool, _>(flag)?,
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<S> Query for Statement<S> {
    type SqlType = S;
}

impl<S> QueryId for Statement<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Rows of one kind: `select` and their columns, and then what the statement says.
pub(super) struct Select<R: Selectable<Backend>> {
    columns: R::SelectExpression,
    rest: Statement,
    page: Option<(Window, &'static str, &'static str)>,
}

impl<R: Selectable<Backend>> Select<R> {
    pub(super) fn new(rest: Statement) -> Self {
        Self { columns: R::construct_selection(), rest, page: None }
    }

    /// One page of it, in the order of these columns. The statement ends with a condition.
    pub(super) fn page(self, page: Page, time: &'static str, id: &'static str) -> Self {
        Self { page: Some((page.into(), time, id)), ..self }
    }
}

impl<R: Selectable<Backend, SelectExpression: QueryFragment<Backend>>> QueryFragment<Backend> for Select<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("select ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" ");
        self.rest.walk_ast(out.reborrow())?;
        if let Some((window, time, id)) = &self.page {
            window.push_condition(&mut out, time, id)?;
            window.push_order(&mut out, time, id)?;
        }
        Ok(())
    }
}

impl<R: Selectable<Backend>> Query for Select<R> {
    type SqlType = <R::SelectExpression as Expression>::SqlType;
}

impl<R: Selectable<Backend>> QueryId for Select<R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A time inside of a document, for a cast to `dialect::MOMENT`: SQLite keeps exactly this text.
pub(super) fn moment_text(at: Instant) -> String {
    micros(at).format("%F %T%.f%:z").to_string()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&Iri> for Value {
    fn from(iri: &Iri) -> Self {
        iri.as_str().into()
    }
}

impl From<Option<&Iri>> for Value {
    fn from(iri: Option<&Iri>) -> Self {
        Self::Text(iri.map(ToString::to_string))
    }
}

impl From<&Username> for Value {
    fn from(name: &Username) -> Self {
        name.as_str().into()
    }
}

impl From<ActivityId> for Value {
    fn from(id: ActivityId) -> Self {
        id.to_string().into()
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        i64::from(number).into()
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        digest.as_bytes().to_vec().into()
    }
}

impl From<Instant> for Value {
    fn from(at: Instant) -> Self {
        Some(at).into()
    }
}

impl From<Option<Instant>> for Value {
    fn from(at: Option<Instant>) -> Self {
        Self::Moment(at.map(micros))
    }
}
