//! What calls over HTTP have in common when they fail.

use artdag_anchoring::ots::CalendarUri;
use artdag_anchoring::{CalendarError, Cause, HeadersError};
use artdag_http::{FetchError, StatusCode};

/// A call that brought nothing, before it is said whose.
#[derive(Debug)]
pub(crate) enum Failure {
    Unreachable(Cause),
    Slow,
    Nonsense(String),
    Refused(Cause),
}

impl Failure {
    /// What a status means that is neither a success nor says that there is nothing.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let said = format!("its status is {}", status.as_u16());
        let is_passing =
            status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        if is_passing { Self::Unreachable(said.into()) } else { Self::Nonsense(said) }
    }

    pub(crate) fn of_calendar(self, calendar: &CalendarUri) -> CalendarError {
        match self {
            Self::Unreachable(cause) => CalendarError::Unreachable(cause),
            Self::Slow => CalendarError::Slow,
            Self::Nonsense(why) => CalendarError::Nonsense { calendar: calendar.clone(), why },
            Self::Refused(cause) => CalendarError::Refused(cause),
        }
    }

    pub(crate) fn of_source(self, name: String) -> HeadersError {
        match self {
            Self::Unreachable(cause) => HeadersError::Unreachable(cause),
            Self::Slow => HeadersError::Slow,
            Self::Nonsense(why) => HeadersError::Nonsense { whose: name, why },
            Self::Refused(cause) => HeadersError::Refused(cause),
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Timeout => Self::Slow,
            FetchError::Refused(_) | FetchError::Unsigned(_) => Self::Refused(error.into()),
            FetchError::Connect(_) | FetchError::Broken(_) => Self::Unreachable(error.into()),
            FetchError::TooLarge | FetchError::ContentType(_) | FetchError::Redirects(_) | FetchError::Protocol(_) => {
                Self::Nonsense(error.to_string())
            }
        }
    }
}

/// A stranger's words in one line of printable ASCII, cut short.
pub(crate) fn clean(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    let printable = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { ' ' };
    // What is left out here is at least not hidden in front.
    let text: String = bytes.iter().take(16 * MOST).map(printable).collect();
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(MOST);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_say_one_short_line_of_ascii() {
        assert_eq!(clean(b"Pending confirmation"), "Pending confirmation");
        assert_eq!(clean(b" nope\r\nSuccess!\x1b[31m \x00\x7f\xff ok "), "nope Success! [31m ok");
        assert_eq!(clean("a\u{202e}b é".as_bytes()), "a b");
        assert_eq!(clean(&[b'x'; 100_000]), "x".repeat(200));
        assert_eq!(clean(b""), "");
    }

    #[test]
    fn a_server_out_of_order_is_no_liar() {
        for passing in [500, 502, 503, 504, 429, 408] {
            let failure = Failure::of_status(StatusCode::from_u16(passing).unwrap());
            assert!(matches!(failure, Failure::Unreachable(_)), "{passing}");
        }
        for lasting in [204, 302, 400, 401, 403, 404, 410, 418] {
            let failure = Failure::of_status(StatusCode::from_u16(lasting).unwrap());
            assert!(matches!(failure, Failure::Nonsense(_)), "{lasting}");
        }
    }
}
