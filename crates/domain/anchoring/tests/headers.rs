//! Chains of headers that are mined here, at targets that take two hashes to meet.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{
    AcceptError, AttestationError, BlockHash, BlockHeader, ChainRules, CompactTarget, HeaderChain, HeaderError,
    HeaderFault, LookupError, Network, Retarget, TrustedStart, Work, verify_attestation,
};
use proptest::prelude::*;

const EASY: CompactTarget = CompactTarget::from_consensus(0x207f_ffff);
const MINUTES_10: u32 = 600;

/// A header that meets its target.
fn mine(previous: BlockHash, time: u32, bits: CompactTarget, tag: u8) -> BlockHeader {
    let mut bytes = [0; 80];
    bytes[0] = 1;
    bytes[4..36].copy_from_slice(previous.as_bytes());
    bytes[36..68].copy_from_slice(Digest::of(&[tag]).as_bytes());
    bytes[68..72].copy_from_slice(&time.to_le_bytes());
    bytes[72..76].copy_from_slice(&bits.to_consensus().to_le_bytes());
    let tries = (0_u32..).map(|nonce| {
        bytes[76..].copy_from_slice(&nonce.to_le_bytes());
        BlockHeader::from_bytes(bytes)
    });
    tries.into_iter().find(BlockHeader::has_its_work).unwrap()
}

/// Headers after the given one, ten minutes apart.
fn mine_on(last: &BlockHeader, count: usize, tag: u8) -> Vec<BlockHeader> {
    let mut last = *last;
    let next = std::iter::repeat_with(|| {
        last = mine(last.hash(), last.time() + MINUTES_10, last.bits(), tag);
        last
    });
    next.take(count).collect()
}

fn regtest(count: usize) -> (HeaderChain, Vec<BlockHeader>) {
    let mut chain = HeaderChain::new(ChainRules::of(Network::Regtest));
    let headers = mine_on(&chain.headers()[0], count, 0);
    chain.accept(&headers).unwrap();
    (chain, headers)
}

fn fault(result: Result<impl std::fmt::Debug, AcceptError>) -> HeaderFault {
    match result {
        Err(AcceptError::Invalid(HeaderError { fault, .. })) => fault,
        other => unreachable!("{other:?}"),
    }
}

fn changed(header: &BlockHeader, at: usize) -> BlockHeader {
    let mut bytes = *header.as_bytes();
    bytes[at] ^= 1;
    BlockHeader::from_bytes(bytes)
}

/// The block of the best known of all timestamps.
const BLOCK_358391: &str = "02000000b96394585a281b7e5f438fd1c9ed492645a1fd61cb3802040000000000000000007ee445d23ad061af4a36b\
                            809501fab1ac4f2d7e7a739817dd0cbb7ec661b8a1e376755f58616186272def6";

#[test]
fn a_header_says_what_the_block_was() {
    let header: BlockHeader = BLOCK_358391.parse().unwrap();
    assert_eq!(header.hash().to_string(), "000000000000000003e892881a8cdcdc117c06d444057c98b6f04a9ee75a2319");
    assert_eq!((header.version(), header.time(), header.bits().to_consensus()), (2, 1_432_827_678, 0x1816_86f5));
    assert!(header.has_its_work());
    assert_eq!(header.to_string(), BLOCK_358391);
    let shown = "8a1b66ecb7cbd07d8139a7e7d7f2c41aab1f5009b8364aaf61d03ad245e47e00";
    let mut root: [u8; 32] = *shown.parse::<Digest>().unwrap().as_bytes();
    assert_eq!(verify_attestation(&root, &header), Err(AttestationError::AnotherRoot), "reversed, as shown");
    root.reverse();
    assert_eq!(verify_attestation(&root, &header), Ok(()));
    assert_eq!(verify_attestation(&root[..31], &header), Err(AttestationError::NotARoot(31)));
    for at in 0..80 {
        assert!(!changed(&header, at).has_its_work(), "byte {at}");
    }
    assert!("00".parse::<BlockHeader>().is_err() && BLOCK_358391[..158].parse::<BlockHeader>().is_err());
    assert!(BlockHeader::parse_all(&[0; 161]).is_err());
}

#[test]
fn headers_are_taken_in_pieces_and_more_than_once() {
    let (mut chain, headers) = regtest(50);
    assert_eq!((chain.height(), chain.tip()), (50, headers[49].hash()));
    assert_eq!(chain.work(), Work::from_be_bytes(std::array::from_fn(|at| if at == 31 { 102 } else { 0 })));
    let more = mine_on(&headers[49], 30, 0);
    let overlapping: Vec<_> = headers[40..].iter().chain(&more).copied().collect();
    let change = chain.accept(&overlapping).unwrap();
    assert_eq!((change.fork_height, change.added, change.is_reorg()), (50, 30, false));
    let all = chain.headers().to_vec();
    assert_eq!(chain.accept(&all).unwrap().added, 0);
    assert_eq!(chain.accept(&[]).unwrap().added, 0);
    let mut again = HeaderChain::new(ChainRules::of(Network::Regtest));
    assert_eq!(again.accept(&all).unwrap().added, 80);
    assert_eq!((again.tip(), again.work()), (chain.tip(), chain.work()));
    assert_eq!(chain.accept(&mine_on(&mine(more[0].hash(), 1, EASY, 9), 1, 0)), Err(AcceptError::Unknown));
    for height in [0, 1, 50, 80] {
        let confirmed = chain.confirm(height).unwrap();
        assert_eq!(confirmed.header.hash(), confirmed.hash);
        assert_eq!(confirmed.confirmations, 81 - height);
        assert_eq!(chain.find(&confirmed.hash), Some(height));
    }
    assert_eq!(chain.confirm(81), Err(LookupError::AboveTip { last: 80 }));
    assert_eq!(chain.find(&mine(more[0].hash(), 1, EASY, 9).hash()), None);
}

#[test]
fn a_header_that_breaks_a_rule_leaves_the_chain_as_it_was() {
    let (mut chain, headers) = regtest(20);
    let last = headers[19];
    let next = mine_on(&last, 3, 0);
    let before = (chain.tip(), chain.work(), chain.headers().to_vec());

    let unlinked = [next[0], next[2]];
    assert_eq!(fault(chain.accept(&unlinked)), HeaderFault::NotLinked);
    let error = chain.accept(&unlinked).unwrap_err();
    assert!(matches!(error, AcceptError::Invalid(HeaderError { height: 22, .. })), "{error:?}");

    let lazy = (0..).map(|nonce: u32| {
        let mut bytes = *next[0].as_bytes();
        bytes[76..].copy_from_slice(&nonce.to_le_bytes());
        BlockHeader::from_bytes(bytes)
    });
    let lazy = lazy.into_iter().find(|header| !header.has_its_work()).unwrap();
    assert_eq!(fault(chain.accept(&[lazy])), HeaderFault::TooLittleWork);

    // The median of the last eleven is the sixth from the end.
    let median = headers[14].time();
    let early = mine(last.hash(), median, EASY, 0);
    assert_eq!(fault(chain.accept(&[early])), HeaderFault::TooEarly { median, given: median });

    for bits in [0x207f_fffe, 0x2100_8000, 0x1f7f_ffff, 0, 0x20ff_ffff] {
        let mut bytes = *next[0].as_bytes();
        bytes[72..76].copy_from_slice(&u32::to_le_bytes(bits));
        let given = CompactTarget::from_consensus(bits);
        let expected = HeaderFault::WrongTarget { expected: EASY, given };
        assert_eq!(fault(chain.accept(&[BlockHeader::from_bytes(bytes)])), expected, "{bits:08x}");
    }
    assert_eq!((chain.tip(), chain.work(), chain.headers().to_vec()), before);
    // One second after the median is late enough.
    let just = mine(last.hash(), median + 1, EASY, 0);
    assert_eq!(chain.accept(&[just]).unwrap().added, 1);
}

/// A target that follows the time, with periods of eight headers.
fn lively(taken: impl Fn(u32) -> u32, count: u32) -> Result<HeaderChain, AcceptError> {
    let genesis = mine(BlockHash::from_bytes([0; 32]), 1_000_000, EASY, 0);
    let retarget = Retarget { interval: 8, timespan: 8 * MINUTES_10 };
    let mut chain = HeaderChain::new(ChainRules::private(genesis, Some(retarget)).unwrap());
    let mut last = genesis;
    let (mut bits, mut period_time) = (EASY, genesis.time());
    for height in 1..=count {
        if height % 8 == 0 {
            bits = expected_bits(bits, last.time().saturating_sub(period_time), retarget.timespan);
        }
        last = mine(last.hash(), last.time() + taken(height), bits, 0);
        if height % 8 == 0 {
            period_time = last.time();
        }
        chain.accept(&[last])?;
    }
    Ok(chain)
}

/// The rule once more, on the digits alone.
fn expected_bits(bits: CompactTarget, taken: u32, timespan: u32) -> CompactTarget {
    let (exponent, digits) = (bits.to_consensus() >> 24, bits.to_consensus() & 0x007f_ffff);
    let taken = u128::from(taken.clamp(timespan / 4, timespan * 4));
    let mut scaled = (u128::from(digits) << 32) * taken / u128::from(timespan);
    let mut exponent = exponent - 4;
    while scaled >= 1 << 23 {
        scaled >>= 8;
        exponent += 1;
    }
    let bits = exponent << 24 | u32::try_from(scaled).unwrap();
    CompactTarget::from_consensus(bits.min(EASY.to_consensus()))
}

#[test]
fn the_target_follows_the_time() {
    let chain = lively(|height| if height < 40 { 200 } else { 2000 }, 120).unwrap();
    let bits = |height: usize| chain.headers()[height].bits().to_consensus();
    assert_eq!(bits(7), EASY.to_consensus());
    assert!(bits(8) < bits(7) && bits(16) < bits(8), "harder when blocks come fast");
    assert!(bits(48) > bits(40), "easier when they come slowly");
    assert_eq!(bits(119), EASY.to_consensus(), "never easier than the easiest");
}

#[test]
fn a_wrong_target_at_the_retarget_is_refused() {
    let chain = lively(|_| 200, 15).unwrap();
    let last = chain.headers()[15];
    let right = lively(|_| 200, 16).unwrap().headers()[16];
    for wrong in [last.bits(), EASY, CompactTarget::from_consensus(right.bits().to_consensus() + 1)] {
        let mut chain = chain.clone();
        let header = mine(last.hash(), last.time() + 200, wrong, 0);
        let expected = HeaderFault::WrongTarget { expected: right.bits(), given: wrong };
        assert_eq!(fault(chain.accept(&[header])), expected);
    }
    assert_eq!(chain.clone().accept(&[right]).unwrap().added, 1);
}

#[test]
fn a_heavier_branch_takes_over_at_once_or_not_at_all() {
    let (mut chain, headers) = regtest(30);
    let before = (chain.tip(), chain.work());
    for count in [1, 9, 10] {
        let branch = mine_on(&headers[19], count, 1);
        assert_eq!(chain.accept(&branch), Err(AcceptError::NotHeavier { fork_height: 20 }), "{count} against ten");
    }
    let mut branch = mine_on(&headers[19], 12, 1);
    let good = branch.clone();
    branch[11] = changed(&branch[11], 4);
    assert_eq!(fault(chain.accept(&branch)), HeaderFault::NotLinked);
    assert_eq!((chain.tip(), chain.work()), before);

    let change = chain.accept(&good).unwrap();
    assert_eq!((change.fork_height, change.added), (20, 12));
    assert_eq!(change.removed, headers[20..]);
    assert_eq!((chain.height(), chain.tip()), (32, good[11].hash()));
    assert_eq!(chain.find(&headers[29].hash()), None);
    assert_eq!(chain.confirm(21).unwrap().header, good[0]);
    // And back, with the branch that was given up and more.
    let more = mine_on(&headers[29], 3, 0);
    let back: Vec<_> = headers[20..].iter().chain(&more).copied().collect();
    assert_eq!(chain.accept(&back).unwrap().removed, good);
    assert_eq!(chain.height(), 33);
}

/// Work counts, not length: few headers of a hard target outweigh many of an easy one.
#[test]
fn a_shorter_branch_of_more_work_wins() {
    let mut chain = lively(|_| 700, 69).unwrap();
    let mut fast = chain.headers()[..33].to_vec();
    let mut bits = fast[32].bits();
    let mut period_time = fast[32].time();
    // From the first header of a period on, the branch is fast and gets hard.
    for height in 33..=60_u32 {
        let last = fast[fast.len() - 1];
        if height % 8 == 0 {
            bits = expected_bits(bits, last.time() - period_time, 8 * MINUTES_10);
        }
        fast.push(mine(last.hash(), last.time() + 100, bits, 3));
        if height % 8 == 0 {
            period_time = last.time() + 100;
        }
    }
    let change = chain.accept(&fast[33..]).unwrap();
    assert_eq!((change.fork_height, change.removed.len(), chain.height()), (32, 37, 60));
}

#[test]
fn nothing_is_said_of_a_chain_below_the_least_work() {
    let (chain, headers) = regtest(10);
    let enough = ChainRules::of(Network::Regtest).with_minimum_work(chain.work());
    let mut strict = HeaderChain::new(enough);
    strict.accept(&headers[..9]).unwrap();
    let Err(LookupError::TooLittleWork(error)) = strict.confirm(3) else { panic!("it has too little work") };
    assert_eq!((error.have < error.least, error.least), (true, chain.work()));
    assert_eq!(strict.confirm(99), Err(LookupError::TooLittleWork(error)));
    strict.accept(&headers[9..]).unwrap();
    assert_eq!(strict.confirm(3).unwrap().confirmations, 8);
    for network in [Network::Mainnet, Network::Signet] {
        assert!(HeaderChain::new(ChainRules::of(network)).check_work().is_err());
    }
}

#[test]
fn a_chain_can_begin_with_a_trusted_header() {
    let whole = lively(|height| 100 + height % 7 * 300, 60).unwrap();
    let rules = whole.rules().clone();
    let mut below = HeaderChain::new(rules.clone());
    below.accept(&whole.headers()[..33]).unwrap();
    let start = TrustedStart { height: 32, header: whole.headers()[32], work: below.work() };
    let mut chain = HeaderChain::from_trusted(rules.clone(), start).unwrap();
    assert_eq!(chain.accept(&whole.headers()[33..]).unwrap().added, 28);
    assert_eq!((chain.height(), chain.tip(), chain.work()), (60, whole.tip(), whole.work()));
    assert_eq!(chain.confirm(31), Err(LookupError::BelowStart { first: 32 }));
    assert_eq!(chain.confirm(40), whole.confirm(40));
    assert_eq!(chain.find(&whole.confirm(40).unwrap().hash), Some(40));
    assert_eq!(chain.find(&whole.confirm(31).unwrap().hash), None);
    assert!(HeaderChain::from_trusted(rules, TrustedStart { height: 33, ..start }).is_err());
}

proptest! {
    #[test]
    fn any_spoilt_byte_is_refused(at in 0..80_usize, which in 0..12_usize) {
        let (mut chain, headers) = regtest(5);
        let mut more = mine_on(&headers[4], 12, 0);
        more[which] = changed(&more[which], at);
        // The last one may by chance be as good as it was: half of all headers meet the easiest target.
        match chain.accept(&more) {
            Ok(change) => prop_assert!(which == 11 && more[11].has_its_work() && change.added == 12),
            Err(_) => prop_assert_eq!(chain.height(), 5),
        }
    }
}
