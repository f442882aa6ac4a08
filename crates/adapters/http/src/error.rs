//! What can go wrong with a call, by what a caller does about it.

use crate::connect::ConnectFault;
use crate::policy::Refusal;
use std::error::Error;
use std::fmt;
use std::io;

/// An error of whoever knows what went wrong.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a call brought no answer that can be used.
///
/// | variant | what happened | trying again |
/// |---|---|---|
/// | `Refused` | the guard; nothing was sent | not before the operator changes something |
/// | `Unsigned` | the caller could not sign; nothing was sent there | as the caller knows |
/// | `Connect` | no connection; nothing was sent | later |
/// | `Timeout` | a limit of time, with a connection; the request may have arrived | later, if it may be sent twice |
/// | `Broken` | the connection broke; the request may have arrived | later, if it may be sent twice |
/// | others | an answer, and not one that can be used | of little use |
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The guard does not let this server be called.
    #[error("it may not be called: {0}")]
    Refused(Refusal),
    /// The request was to be signed, and was not.
    #[error("the request to it cannot be signed")]
    Unsigned(#[source] BoxError),
    /// Its name does not resolve, nobody listens, or TLS failed, or one of these took too long.
    #[error("no connection to it could be made")]
    Connect(#[source] BoxError),
    /// A piece of the answer or the whole took too long.
    #[error("it did not answer in time")]
    Timeout,
    /// The connection broke before the answer was whole.
    #[error("the connection to it broke")]
    Broken(#[source] BoxError),
    /// The answer's body is larger than allowed, packed or unpacked.
    #[error("it answers more than is read")]
    TooLarge,
    /// The answer is of another type than was asked for, or of none.
    #[error("it answers {0}")]
    ContentType(SaidType),
    /// It redirects, and not to where the call can go.
    #[error("it redirects {0}")]
    Redirects(RedirectFault),
    /// The answer breaks the rules of HTTP.
    #[error("it does not speak proper HTTP")]
    Protocol(#[source] BoxError),
}

/// What was wrong with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectFault {
    /// More of them than are followed.
    TooMany,
    /// Of a request that is not a GET, which are not followed. The status is there.
    NotFollowed(u16),
    /// To a server that the guard does not let be called.
    Refused(Refusal),
    /// To a server to which no connection could be made. It says nothing of the one that was asked.
    NoConnection,
}

impl fmt::Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("too often"),
            Self::NotFollowed(_) => f.write_str("a request that cannot be redirected"),
            Self::Refused(reason) => write!(f, "to where it may not: {reason}"),
            Self::NoConnection => f.write_str("to where no connection can be made"),
        }
    }
}

/// The media type that an answer claims, if it claims a proper one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidType(pub(crate) Option<String>);

impl fmt::Display for SaidType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(essence) => f.write_str(essence),
            None => f.write_str("without a proper content type"),
        }
    }
}

impl FetchError {
    /// Sorts what the pool says of a request that got no answer.
    pub(crate) fn from_client(error: hyper_util::client::legacy::Error) -> Self {
        let is_slow = match chain(&error).find_map(|cause| cause.downcast_ref::<ConnectFault>()) {
            Some(ConnectFault::Refused(reason)) => return Self::Refused(*reason),
            Some(ConnectFault::Slow) => true,
            _ => false,
        };
        if is_slow || error.is_connect() {
            return Self::Connect(error.into());
        }
        let of_hyper = chain(&error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        if of_hyper.is_some_and(is_protocol) { Self::Protocol(error.into()) } else { Self::Broken(error.into()) }
    }

    /// Sorts what went wrong in the middle of a body.
    pub(crate) fn from_body(error: hyper::Error) -> Self {
        if is_protocol(&error) { Self::Protocol(error.into()) } else { Self::Broken(error.into()) }
    }
}

/// The error and its causes in one line, for the operator.
pub(crate) fn in_full(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_protocol(error: &hyper::Error) -> bool {
    // What is wrong with chunks comes as an I/O error of these kinds.
    let is_garbage = |cause: &(dyn Error + 'static)| {
        let kind = cause.downcast_ref().map(io::Error::kind);
        matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
    };
    error.is_parse() || error.is_parse_status() || error.is_user() || chain(error).any(is_garbage)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
