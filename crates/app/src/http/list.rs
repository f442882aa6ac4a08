//! Lists: their query parameters, and the links between their pages.

use crate::http::problem::Problem;
use actix_web::HttpRequest;
use artdag_kernel::{Count, Cursor, InvalidPage, Page, PageLimit, Position, Slice};
use serde::Serialize;

/// The query of a list, in the order given. Repeated parameters are kept.
#[derive(Clone, Debug, Default)]
pub struct ListQuery(Vec<(String, String)>);

impl ListQuery {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// When it is no sound query.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs = serde_urlencoded::from_str(request.query_string());
        pairs.map(Self).map_err(|error| Problem::invalid_field("query", error))
    }

    /// The first value of a parameter; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Parses a parameter if it is there.
    ///
    /// # Errors
    /// Naming the parameter.
    pub fn parse<T: std::str::FromStr<Err: ToString>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.get(name).map(str::parse).transpose().map_err(|error: T::Err| Problem::invalid_field(name, error))
    }

    /// A whole number, if it is there.
    ///
    /// # Errors
    /// Naming the parameter.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let parse = |text: &str| text.parse().map_err(|_| Problem::invalid_field(name, "must be a whole number"));
        self.get(name).map(parse).transpose()
    }

    /// The page asked for: `limit`, and one of `cursor`, `offset` and `page`.
    ///
    /// # Errors
    /// Naming the parameter.
    pub fn page(&self) -> Result<Page, Problem> {
        let limit = match self.get("limit") {
            None => PageLimit::DEFAULT,
            Some(text) => {
                let limit = text.parse().map_err(|_| InvalidPage::Limit).and_then(PageLimit::new);
                limit.map_err(|error| Problem::invalid_field("limit", error))?
            }
        };
        let (name, offset) =
            match (self.parse::<Cursor>("cursor")?, self.number::<u32>("offset")?, self.number::<u32>("page")?) {
                (Some(cursor), ..) => {
                    return Ok(Page { limit, position: Position::OlderThan(cursor) });
                }
                (None, Some(offset), _) => ("offset", offset),
                (None, None, Some(0)) => return Err(Problem::invalid_field("page", "counts from 1")),
                (None, None, Some(page)) => ("page", (page - 1).saturating_mul(u32::from(limit.get()))),
                (None, None, None) => return Ok(Page::newest(limit)),
            };
        if offset > Position::MAX_OFFSET {
            return Err(Problem::invalid_field(name, InvalidPage::TooDeep));
        }
        let position = if offset == 0 { Position::Newest } else { Position::Offset(offset) };
        Ok(Page { limit, position })
    }

    /// The tail of this page of the list at `list`. `place` says where in the list an item is.
    pub fn tail<T>(
        &self,
        list: &str,
        page: Page,
        slice: &Slice<T>,
        count: Count,
        place: impl Fn(&T) -> Cursor,
    ) -> ListTail {
        let last = slice.items.last().filter(|_| slice.has_older);
        let next = last.map(|last| self.next_url(list, place(last)));
        ListTail::new(page, next, count)
    }

    /// The list from `cursor` on.
    fn next_url(&self, list: &str, cursor: Cursor) -> String {
        let kept = self.0.iter().filter(|(key, _)| !matches!(key.as_str(), "cursor" | "offset" | "page"));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("cursor", &cursor.to_string());
        format!("{list}?{}", query.finish())
    }
}

/// What every list says beside its items.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListTail {
    /// The most items of a page.
    pub limit: u16,
    /// The next page, or `null` on the last.
    pub next: Option<String>,
    /// How many items there are in all. May lag by seconds.
    pub total: u64,
    /// `eq`: exactly so many. `gte`: at least; with a filter, counting stops at 10,000.
    pub total_relation: &'static str,
}

impl ListTail {
    /// The tail of a list whose pages do not go by time.
    pub fn new(page: Page, next: Option<String>, count: Count) -> Self {
        let total_relation = match count {
            Count::Exactly(_) => "eq",
            Count::AtLeast(_) => "gte",
        };
        Self { limit: page.limit.get(), next, total: count.known(), total_relation }
    }
}
