use std::cmp::Ordering;

use super::reader::{Reader, write_number, write_var_bytes};
use super::{CalendarUri, OtsError, limits};

/// A claim that a message was known at a time.
///
/// The order is that of the tags, then that of the contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// A calendar will know more later.
    Pending(CalendarUri),
    /// The message is the Merkle root of Bitcoin's block of this height.
    Bitcoin(u32),
    /// The message is the Merkle root of Litecoin's block of this height.
    Litecoin(u32),
    /// The message is in Ethereum's block of this height.
    Ethereum(u32),
    /// Something that is not known here. It is kept as it is.
    Unknown(UnknownAttestation),
}

/// An attestation whose tag is none of those that are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownAttestation {
    tag: [u8; 8],
    payload: Box<[u8]>,
}

const PENDING: [u8; 8] = *b"\x83\xdf\xe3\x0d\x2e\xf9\x0c\x8e";
const BITCOIN: [u8; 8] = *b"\x05\x88\x96\x0d\x73\xd7\x19\x01";
const LITECOIN: [u8; 8] = *b"\x06\x86\x9a\x0d\x73\xd7\x1b\x45";
const ETHEREUM: [u8; 8] = *b"\x30\xfe\x80\x87\xb5\xc7\xea\xd7";

impl Attestation {
    /// The eight bytes that say what it is.
    #[must_use]
    pub const fn tag(&self) -> [u8; 8] {
        match self {
            Self::Pending(_) => PENDING,
            Self::Bitcoin(_) => BITCOIN,
            Self::Litecoin(_) => LITECOIN,
            Self::Ethereum(_) => ETHEREUM,
            Self::Unknown(unknown) => unknown.tag,
        }
    }

    /// Reads what follows the byte that announces an attestation.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let tag = reader.array()?;
        let bytes = reader.var_bytes(0, limits::PAYLOAD)?;
        let mut payload = Reader::new(bytes);
        let mut height = || u32::try_from(payload.number()?).map_err(|_| OtsError::NumberTooLarge);
        let attestation = match tag {
            BITCOIN => Self::Bitcoin(height()?),
            LITECOIN => Self::Litecoin(height()?),
            ETHEREUM => Self::Ethereum(height()?),
            PENDING => Self::Pending(CalendarUri::try_from(payload.var_bytes(0, limits::URI)?)?),
            _ => return Ok(Self::Unknown(UnknownAttestation { tag, payload: bytes.into() })),
        };
        payload.end(OtsError::TrailingPayload)?;
        Ok(attestation)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.tag());
        let mut payload = Vec::new();
        match self {
            Self::Pending(uri) => write_var_bytes(&mut payload, uri.as_str().as_bytes()),
            Self::Bitcoin(height) | Self::Litecoin(height) | Self::Ethereum(height) => {
                write_number(&mut payload, u64::from(*height));
            }
            Self::Unknown(unknown) => payload.extend_from_slice(&unknown.payload),
        }
        write_var_bytes(out, &payload);
    }
}

impl UnknownAttestation {
    /// The eight bytes that say what it is, to those who know.
    #[must_use]
    pub const fn tag(&self) -> [u8; 8] {
        self.tag
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl Ord for Attestation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tag().cmp(&other.tag()).then_with(|| match (self, other) {
            (Self::Pending(one), Self::Pending(other)) => one.cmp(other),
            (Self::Unknown(one), Self::Unknown(other)) => one.cmp(other),
            (one, other) => one.height().cmp(&other.height()),
        })
    }
}

impl PartialOrd for Attestation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Attestation {
    const fn height(&self) -> Option<u32> {
        match self {
            Self::Bitcoin(height) | Self::Litecoin(height) | Self::Ethereum(height) => Some(*height),
            Self::Pending(_) | Self::Unknown(_) => None,
        }
    }
}
