//! Bodies, read into bounded memory.

use crate::error::{FetchError, SaidType};
use crate::request::Limits;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::io::{self, Write};
use tokio::time::timeout;

/// A small text packs well: up to here no ratio is too good to be true.
const RATIO_FROM: usize = 64 * 1024;

/// Whether the type of an answer is one of these. None at all allow every type.
pub(crate) fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), FetchError> {
    if types.is_empty() {
        return Ok(());
    }
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let said = match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    };
    let essence = said.and_then(|said| said.split(';').next()).map(str::trim);
    let essence = essence.filter(|essence| essence.contains('/') && essence.len() <= 100);
    let essence = essence.map(str::to_ascii_lowercase);
    let fits =
        |essence: &String| types.iter().any(|name| essence == name || name.starts_with('+') && essence.ends_with(name));
    if essence.as_ref().is_some_and(fits) { Ok(()) } else { Err(FetchError::ContentType(SaidType(essence))) }
}

/// Reads a body to its end, or to the limit that it breaks first.
pub(crate) async fn read(headers: &HeaderMap, mut body: Incoming, limits: &Limits) -> Result<Bytes, FetchError> {
    let mut sink = Sink::new(headers, limits)?;
    if announced(headers).is_some_and(|length| length > limits.max_body as u64) {
        return Err(FetchError::TooLarge);
    }
    loop {
        let frame = timeout(limits.stall, body.frame()).await.map_err(|_| FetchError::Timeout)?;
        let Some(frame) = frame else { return sink.finish() };
        if let Ok(piece) = frame.map_err(FetchError::from_body)?.into_data() {
            sink.take(&piece)?;
        }
    }
}

/// Reads what there is of a body that nobody depends on: the page that comes with an error.
pub(crate) async fn read_some(mut body: Incoming, limits: &Limits, most: usize) -> Bytes {
    let mut read = Vec::new();
    while read.len() < most {
        let Ok(Some(Ok(frame))) = timeout(limits.stall, body.frame()).await else { break };
        if let Ok(piece) = frame.into_data() {
            read.extend_from_slice(&piece[..piece.len().min(most - read.len())]);
        }
    }
    read.into()
}

/// Lets a body pass that nobody reads.
pub(crate) async fn skip(mut body: Incoming, most: usize) {
    let mut passed = 0;
    while passed <= most {
        let Some(Ok(frame)) = body.frame().await else { break };
        passed += frame.data_ref().map_or(0, Bytes::len);
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Where the pieces go.
enum Sink {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Sink {
    fn new(headers: &HeaderMap, limits: &Limits) -> Result<Self, FetchError> {
        let bounded =
            Bounded { read: Vec::new(), packed: 0, max_body: limits.max_body, max_ratio: usize::MAX, is_over: false };
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let coding = match (codings.next(), codings.next()) {
            (None, _) => "identity",
            (Some(only), None) => only.to_str().unwrap_or_default(),
            _ => "",
        };
        match coding.trim().to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Plain(bounded)),
            "gzip" | "x-gzip" => {
                Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Bounded { max_ratio: limits.max_ratio, ..bounded }))))
            }
            _ => Err(FetchError::Protocol("a content coding that was not asked for".into())),
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        match self {
            Self::Plain(bounded) => {
                bounded.packed = bounded.packed.saturating_add(piece.len());
                bounded.write_all(piece).map_err(|_| FetchError::TooLarge)
            }
            Self::Gzip(decoder) => {
                let bounded = decoder.get_mut();
                bounded.packed = bounded.packed.saturating_add(piece.len());
                decoder.write_all(piece).map_err(|e| unpacking(decoder.get_ref(), e))
            }
        }
    }

    fn finish(self) -> Result<Bytes, FetchError> {
        match self {
            Self::Plain(bounded) => Ok(bounded.read.into()),
            Self::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|e| unpacking(decoder.get_ref(), e))?;
                Ok(std::mem::take(&mut decoder.get_mut().read).into())
            }
        }
    }
}

fn unpacking(bounded: &Bounded, error: io::Error) -> FetchError {
    if bounded.is_over { FetchError::TooLarge } else { FetchError::Protocol(error.into()) }
}

/// Memory that takes no more than it was told to, and stops the unpacking in the middle when more comes.
struct Bounded {
    read: Vec<u8>,
    /// Bytes that came over the wire.
    packed: usize,
    max_body: usize,
    max_ratio: usize,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let size = self.read.len().saturating_add(piece.len());
        let ratio_allows = size <= RATIO_FROM || size <= self.packed.saturating_mul(self.max_ratio);
        if size > self.max_body || !ratio_allows {
            self.is_over = true;
            return Err(io::Error::other("larger than allowed"));
        }
        self.read.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn headers(name: http::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn unpack(packed: &[u8], piece: usize) -> Result<Bytes, FetchError> {
        let mut sink = Sink::new(&headers(CONTENT_ENCODING, &["gzip"]), &Limits::default())?;
        packed.chunks(piece).try_for_each(|piece| sink.take(piece))?;
        sink.finish()
    }

    #[test]
    fn unpacks_in_pieces_of_any_size() {
        let text = b"a picture, ".repeat(1000);
        let packed = gzip(&text);
        for piece in [1, 2, 7, packed.len()] {
            assert_eq!(unpack(&packed, piece).unwrap(), text, "{piece}");
        }
        assert_eq!(unpack(&[gzip(b"two "), gzip(b"members")].concat(), 3).unwrap(), "two members");
        assert_eq!(unpack(&gzip(b""), 3).unwrap(), "");
    }

    #[test]
    fn what_is_cut_short_or_garbage_is_no_body() {
        let packed = gzip(b"a picture");
        let mut wrong_sum = packed.clone();
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 1;
        let trailing = [packed.clone(), b"garbage".to_vec()].concat();
        for bad in [&packed[..packed.len() - 1], &packed[..5], b"<html>", &wrong_sum, &trailing] {
            assert!(matches!(unpack(bad, 4), Err(FetchError::Protocol(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_long_before_its_size() {
        let bomb = gzip(&vec![0; 1000 * 1024]);
        assert!(bomb.len() < 2000);
        assert!(matches!(unpack(&bomb, 100), Err(FetchError::TooLarge)));
        assert_eq!(unpack(&gzip(&vec![0; RATIO_FROM]), 100).unwrap().len(), RATIO_FROM);
    }

    #[test]
    fn unknown_and_nested_codings_are_refused() {
        for codings in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &[""]] {
            let sink = Sink::new(&headers(CONTENT_ENCODING, codings), &Limits::default());
            assert!(matches!(sink, Err(FetchError::Protocol(_))), "{codings:?}");
        }
        for codings in [&[][..], &["identity"], &["GZIP"], &["x-gzip"]] {
            assert!(Sink::new(&headers(CONTENT_ENCODING, codings), &Limits::default()).is_ok(), "{codings:?}");
        }
    }

    #[test]
    fn types_are_compared_by_their_essence() {
        let json = crate::JSON;
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/activity+json ; a=b"] {
            assert!(check_type(&headers(CONTENT_TYPE, &[good]), json).is_ok(), "{good}");
        }
        for bad in [&[][..], &["text/html"], &["json"], &["application/jsonx"], &["application/json"; 2]] {
            let refused = check_type(&headers(CONTENT_TYPE, bad), json);
            assert!(matches!(refused, Err(FetchError::ContentType(_))), "{bad:?}");
        }
        assert!(check_type(&HeaderMap::new(), &[]).is_ok());
    }
}
