//! What is said on Bitcoin's own network, as far as headers need it.

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, Network};

/// Of the protocol as it is spoken here. A peer answers in the older one of both versions.
const VERSION: u32 = 70016;
/// What begins a message of any length.
pub(super) const HEAD: usize = 24;
/// More than a message can have that anybody says to whoever takes neither transactions nor blocks.
const LONGEST: u32 = 512 * 1024;
/// How many headers a peer gives at a time, if it has so many.
pub(super) const FULL: usize = 2000;
/// A header is followed by the number of its transactions, which is always zero.
const ENTRY: usize = BlockHeader::LENGTH + 1;

/// How a message begins that is worth reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    command: [u8; 12],
    pub(super) length: usize,
    checksum: [u8; 4],
}

/// What a peer says that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Its greeting, with the height that it says it has.
    Version(u32),
    Verack,
    /// What it wants to have back.
    Ping(Vec<u8>),
    Headers(Vec<BlockHeader>),
    /// Whatever else.
    Other,
}

/// What every message of a network begins with.
pub(super) const fn magic(network: Network) -> [u8; 4] {
    match network {
        Network::Mainnet => [0xf9, 0xbe, 0xb4, 0xd9],
        Network::Signet => [0x0a, 0x03, 0xcf, 0x40],
        Network::Regtest => [0xfa, 0xbf, 0xb5, 0xda],
    }
}

/// A message, ready to be sent.
pub(super) fn message(magic: [u8; 4], command: &str, payload: &[u8]) -> Vec<u8> {
    let mut name = [0; 12];
    for (to, from) in name.iter_mut().zip(command.bytes()) {
        *to = from;
    }
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&magic, &name[..], &length, &checksum(payload), payload].concat()
}

/// The greeting: this is nobody's peer, has no blocks, and wants no transactions.
pub(super) fn version(seconds: i64) -> Vec<u8> {
    const NO_SERVICES: [u8; 8] = [0; 8];
    // Services, address and port. No address of either side is anybody's business.
    const NO_ADDRESS: [u8; 26] = [0; 26];
    // By it a node knows a call of its own. Zero is never one.
    const NONCE: [u8; 8] = [0; 8];
    const NAME: &str = concat!("/artdag-l2:", env!("CARGO_PKG_VERSION"), "/");
    const HEIGHT: [u8; 4] = [0; 4];
    const NO_TRANSACTIONS: [u8; 1] = [0];
    let length = u8::try_from(NAME.len()).unwrap_or(0);
    let seconds = seconds.to_le_bytes();
    let parts: [&[u8]; 10] = [
        &VERSION.to_le_bytes(),
        &NO_SERVICES,
        &seconds,
        &NO_ADDRESS,
        &NO_ADDRESS,
        &NONCE,
        &[length],
        NAME.as_bytes(),
        &HEIGHT,
        &NO_TRANSACTIONS,
    ];
    parts.concat()
}

/// Asks for the headers after the first of these that the peer knows. At most 101 are read.
pub(super) fn get_headers(locator: &[BlockHash]) -> Vec<u8> {
    const TO_THE_END: [u8; 32] = [0; 32];
    let locator = &locator[..locator.len().min(101)];
    let mut payload = VERSION.to_le_bytes().to_vec();
    payload.push(u8::try_from(locator.len()).unwrap_or(0));
    payload.extend(locator.iter().flat_map(BlockHash::as_bytes));
    payload.extend(TO_THE_END);
    payload
}

impl Head {
    /// # Errors
    ///
    /// What is wrong with it, if nothing that follows can be read.
    pub(super) fn parse(magic: [u8; 4], bytes: &[u8; HEAD]) -> Result<Self, &'static str> {
        let mut rest = Rest(bytes);
        let (begin, command) = (rest.array()?, rest.array()?);
        let (length, checksum) = (u32::from_le_bytes(rest.array()?), rest.array()?);
        if begin != magic {
            return Err("it does not speak the protocol of this network");
        }
        let length = usize::try_from(length).ok().filter(|_| length <= LONGEST).ok_or("it says more than is read")?;
        Ok(Self { command, length, checksum })
    }

    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(&self, payload: &[u8]) -> Result<Message, &'static str> {
        if checksum(payload) != self.checksum {
            return Err("a message does not have its checksum");
        }
        let command = self.command.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(match command {
            b"version" => Message::Version(parse_version(payload).ok_or("its greeting cannot be read")?),
            b"verack" => Message::Verack,
            b"ping" => Message::Ping(payload.iter().take(8).copied().collect()),
            b"headers" => Message::Headers(parse_headers(payload)?),
            _ => Message::Other,
        })
    }
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *Digest::of(Digest::of(payload).as_bytes()).as_bytes();
    [a, b, c, d]
}

/// The height that a greeting names, which may be anything.
fn parse_version(payload: &[u8]) -> Option<u32> {
    // Version, services, time, two addresses and a nonce.
    let mut rest = Rest(payload.get(4 + 8 + 8 + 26 + 26 + 8..)?);
    let name = rest.count().ok()?;
    rest.take(name).ok()?;
    Some(u32::try_from(i32::from_le_bytes(rest.array().ok()?)).unwrap_or(0))
}

fn parse_headers(payload: &[u8]) -> Result<Vec<BlockHeader>, &'static str> {
    let mut rest = Rest(payload);
    let count = rest.count()?;
    if count > FULL {
        return Err("it gives more headers at a time than there may be");
    }
    let entries = rest.take(count * ENTRY)?;
    if !rest.0.is_empty() {
        return Err("something follows its headers");
    }
    let header = |entry: &[u8]| Rest(entry).array().map(BlockHeader::from_bytes);
    entries.chunks_exact(ENTRY).map(header).collect()
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("a message ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| "a message ends too early")
    }

    /// A number of things, of which there are never many here.
    fn count(&mut self) -> Result<usize, &'static str> {
        match self.array()? {
            [small @ 0..=0xfc] => Ok(small.into()),
            [0xfd] => Ok(u16::from_le_bytes(self.array()?).into()),
            [_] => Err("a message has more in it than is read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 4] = magic(Network::Regtest);

    fn heard(bytes: &[u8]) -> Result<Message, &'static str> {
        let (head, payload) = bytes.split_at(HEAD);
        Head::parse(MAGIC, head.try_into().unwrap())?.read(payload)
    }

    fn said(command: &str, payload: &[u8]) -> Result<Message, &'static str> {
        heard(&message(MAGIC, command, payload))
    }

    fn entries(count: u8) -> Vec<u8> {
        let entry = |nonce: u8| [&[nonce; 80][..], &[0]].concat();
        (0..count).flat_map(entry).collect()
    }

    #[test]
    fn an_empty_message_is_as_others_write_it() {
        let expected = "fabfb5da76657261636b000000000000000000005df6e0e2";
        assert_eq!(hex::encode(message(MAGIC, "verack", &[])), expected);
        assert_eq!(heard(&hex::decode(expected).unwrap()), Ok(Message::Verack));
    }

    #[test]
    fn what_matters_is_read_and_the_rest_is_passed_over() {
        assert_eq!(said("version", &version(1_800_000_000)), Ok(Message::Version(0)));
        assert_eq!(said("ping", &[7; 8]), Ok(Message::Ping(vec![7; 8])));
        assert_eq!(said("inv", &[1; 37]), Ok(Message::Other));
        assert_eq!(said("headers", &[0]), Ok(Message::Headers(Vec::new())));
        let headers = (0..3).map(|nonce| BlockHeader::from_bytes([nonce; 80])).collect();
        assert_eq!(said("headers", &[&[3], &entries(3)[..]].concat()), Ok(Message::Headers(headers)));
        let long = [&[0xfd, 3, 0], &entries(3)[..]].concat();
        assert!(matches!(said("headers", &long), Ok(Message::Headers(headers)) if headers.len() == 3));
        let mut version = version(0);
        let at = version.len() - 5;
        for (height, read) in [(900_000_i32, 900_000), (-1, 0), (i32::MIN, 0)] {
            version[at..at + 4].copy_from_slice(&height.to_le_bytes());
            assert_eq!(said("version", &version), Ok(Message::Version(read)));
        }
    }

    #[test]
    fn hostile_messages_are_refused() {
        for (payload, why) in [
            (vec![], "a message ends too early"),
            (vec![1], "a message ends too early"),
            (vec![0xfd, 1], "a message ends too early"),
            ([&[4], &entries(3)[..]].concat(), "a message ends too early"),
            ([&[2], &entries(3)[..]].concat(), "something follows its headers"),
            (vec![0xfd, 0xd1, 7], "it gives more headers at a time than there may be"),
            (vec![0xfe, 1, 0, 0, 0], "a message has more in it than is read"),
            (vec![0xff; 9], "a message has more in it than is read"),
        ] {
            assert_eq!(said("headers", &payload), Err(why), "{payload:?}");
        }
        let version = version(0);
        for end in 0..version.len() - 1 {
            assert!(end > 80 + 18 || said("version", &version[..end]).is_err(), "{end}");
        }
        let mut wrong = message(MAGIC, "verack", &[]);
        wrong[20] ^= 1;
        assert_eq!(heard(&wrong), Err("a message does not have its checksum"));
        let other = message(magic(Network::Mainnet), "verack", &[]);
        assert_eq!(heard(&other), Err("it does not speak the protocol of this network"));
        for length in [LONGEST + 1, u32::MAX] {
            let mut long = message(MAGIC, "inv", &[]);
            long[16..20].copy_from_slice(&length.to_le_bytes());
            assert_eq!(heard(&long), Err("it says more than is read"));
        }
    }
}
