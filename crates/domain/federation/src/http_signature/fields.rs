//! Structured fields (RFC 9651), as this module reads and writes them.

use super::fault::SignatureFault;
use super::request::SignedRequest;
use sfv::{Dictionary, FieldType, InnerList, InnerListSerializer, ListEntry, ListSerializer, Parser};

/// An RSA signature of 8192 bits takes 1368 characters, and there may be a few.
pub(super) const MAX_HEADER: usize = 8 * 1024;

pub(super) fn parse<T: FieldType>(text: &[u8]) -> Option<T> {
    Parser::new(text).parse().ok()
}

/// The dictionary in a header that may be a peer's; `None` without such a header.
pub(super) fn dictionary(
    request: &SignedRequest<'_>,
    name: &'static str,
) -> Result<Option<Dictionary>, SignatureFault> {
    if request.values(name).map(<[u8]>::len).sum::<usize>() > MAX_HEADER {
        return Err(SignatureFault::TooLong(name));
    }
    let Some(field) = request.field(name)? else { return Ok(None) };
    parse(&field).map(Some).ok_or(SignatureFault::Malformed(name))
}

/// The one spelling that RFC 9651 gives an inner list.
pub(super) fn spell(list: &InnerList) -> String {
    let mut text = String::new();
    let mut serializer = ListSerializer::with_buffer(&mut text);
    let mut inner: InnerListSerializer<'_> = serializer.inner_list();
    inner.items(&list.items);
    inner.finish().parameters(&list.params);
    text
}

pub(super) fn inner_list(entry: &ListEntry) -> Option<&InnerList> {
    match entry {
        ListEntry::InnerList(list) => Some(list),
        ListEntry::Item(_) => None,
    }
}
