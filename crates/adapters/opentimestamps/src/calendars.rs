//! Calendars, over HTTP.

use crate::failure::{Failure, clean};
use artdag_anchoring::Digest;
use artdag_anchoring::ots::{CalendarUri, Calendars, Timestamp};
use artdag_anchoring::{Calendar, CalendarError};
use artdag_http::header::{ACCEPT, CONTENT_TYPE};
use artdag_http::{Answer, GuardedClient, HeaderValue, Limits, Request, StatusCode};
use async_trait::async_trait;
use std::time::Duration;
use url::Url;

/// Answers have some hundred bytes, those about a block up to a few thousand.
const MOST_READ: usize = 10_000;

/// Calendars as they are asked over HTTP.
///
/// A proof names the calendars that will know more of it, and a proof may come from anybody. So nobody is asked but
/// those to whom this server submits itself, and those of a list.
#[derive(Clone, Debug)]
pub struct HttpCalendars {
    client: GuardedClient,
    allowed: Calendars,
    limits: Limits,
}

impl HttpCalendars {
    /// Asks through this client the calendars that are submitted to, as the settings name them, and those to which
    /// their answers may lead. A calendar in a private network must also be in the client's
    /// [`GuardPolicy`](artdag_http::GuardPolicy).
    #[must_use]
    pub fn new(client: GuardedClient, submitted_to: &[CalendarUri], mut allowed: Calendars) -> Self {
        for calendar in submitted_to {
            // A calendar may write its own address with or without the slash at its end.
            let bare = calendar.as_str().trim_end_matches('/');
            for spelling in [bare.to_owned(), format!("{bare}/")] {
                if let Ok(spelling) = spelling.parse() {
                    allowed.allow_exactly(&spelling);
                }
            }
        }
        // No redirects: the list must hold for the server that answers.
        let limits = Limits { max_body: MOST_READ, redirects: 0, ..Limits::default() };
        Self { client, allowed, limits }.with_timeout(Duration::from_secs(5))
    }

    /// How long a call may take altogether, if not 5 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.limits.total = timeout;
        self
    }

    /// Whether this calendar may be asked at all.
    #[must_use]
    pub fn allows(&self, calendar: &CalendarUri) -> bool {
        self.allowed.allows(calendar)
    }

    fn url(&self, calendar: &CalendarUri, segments: &[&str]) -> Result<Url, CalendarError> {
        let refused = |why: &str| CalendarError::Refused(why.into());
        if !self.allows(calendar) {
            return Err(refused("it is not among the calendars that may be asked"));
        }
        let no_url = || refused("its address is no URL with a path");
        let mut url = Url::parse(calendar.as_str()).map_err(|_| no_url())?;
        url.path_segments_mut().map_err(|()| no_url())?.pop_if_empty().extend(segments);
        Ok(url)
    }

    async fn send(&self, calendar: &CalendarUri, request: Request) -> Result<Answer, CalendarError> {
        // Not as a type that the answer must have: most calendars call theirs plain bytes.
        let accepted = HeaderValue::from_static("application/vnd.opentimestamps.v1");
        let request = request.header(ACCEPT, accepted).limits(self.limits);
        self.client.send(request).await.map_err(|error| Failure::from(error).of_calendar(calendar))
    }
}

#[async_trait]
impl Calendar for HttpCalendars {
    async fn submit(&self, calendar: &CalendarUri, digest: &Digest) -> Result<Timestamp, CalendarError> {
        let request = Request::post(self.url(calendar, &["digest"])?, digest.as_bytes().to_vec())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let answer = self.send(calendar, request).await?;
        let timestamp = parse(calendar, digest.as_bytes(), &answer)?;
        // A block that could attest it is not yet made.
        if timestamp.pending().any(|(uri, _)| self.allows(uri)) {
            return Ok(timestamp);
        }
        let why = "it leads to no calendar that may be asked later".to_owned();
        Err(Failure::Nonsense(why).of_calendar(calendar))
    }

    async fn upgrade(&self, calendar: &CalendarUri, message: &[u8]) -> Result<Timestamp, CalendarError> {
        let request = Request::get(self.url(calendar, &["timestamp", &hex::encode(message)])?);
        let answer = self.send(calendar, request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(CalendarError::NotYet(clean(&answer.body)));
        }
        let timestamp = parse(calendar, message, &answer)?;
        let leads_on = |(uri, at): (&CalendarUri, std::sync::Arc<[u8]>)| *at != *message && self.allows(uri);
        if timestamp.bitcoin().next().is_some() || timestamp.pending().any(leads_on) {
            return Ok(timestamp);
        }
        Err(Failure::Nonsense("it names no block".to_owned()).of_calendar(calendar))
    }
}

fn parse(calendar: &CalendarUri, message: &[u8], answer: &Answer) -> Result<Timestamp, CalendarError> {
    if answer.status != StatusCode::OK {
        return Err(Failure::of_status(answer.status).of_calendar(calendar));
    }
    Timestamp::parse(message, &answer.body).map_err(|error| Failure::Nonsense(error.to_string()).of_calendar(calendar))
}
