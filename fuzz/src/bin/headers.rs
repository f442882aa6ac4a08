//! Headers: files of them, and batches for a chain of an easy network, mined as the input says.

#![no_main]

use artdag_anchoring::bitcoin::{
    BlockHeader, ChainRules, CompactTarget, HeaderChain, Network, Retarget, verify_attestation,
};
use artdag_fuzz::{Input, fuzz_target, plant};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    if let Ok(headers) = BlockHeader::parse_all(bytes) {
        for header in &headers {
            let text = header.to_string();
            assert_eq!(text.parse().as_ref(), Ok(header));
            assert_eq!(verify_attestation(header.merkle_root().as_bytes(), header), Ok(()));
            let _ = header.has_its_work();
        }
        for network in [Network::Mainnet, Network::Signet, Network::Regtest] {
            let mut chain = HeaderChain::new(ChainRules::of(network));
            let _ = chain.accept(&headers);
        }
    }
    let mut input = Input(bytes);
    mined(&mut input);
});

/// Batches that begin anywhere in the chain. Whatever is refused must leave it as it was, and the work only grows.
fn mined(input: &mut Input<'_>) {
    let interval = 1 + u32::try_from(input.below(12)).expect("it is small");
    let retarget = Retarget { interval, timespan: 600 * interval };
    let easy = ChainRules::of(Network::Regtest);
    let rules = ChainRules::private(*easy.genesis(), Some(retarget).filter(|_| input.below(2) == 0));
    let mut chain = HeaderChain::new(rules.expect("the target is valid"));
    for _ in 0..input.below(8) {
        let from = usize::try_from(input.below(chain.headers().len() as u64)).expect("it is small");
        let mut last = chain.headers()[from];
        let mut batch = Vec::new();
        for _ in 0..input.below(12) {
            last = mine(&last, input);
            batch.push(last);
        }
        let (tip, work, height) = (chain.tip(), chain.work(), chain.height());
        match chain.accept(&batch) {
            Ok(change) => assert!(chain.work() > work || (change.added == 0 && chain.tip() == tip)),
            Err(_) => assert_eq!((chain.tip(), chain.work(), chain.height()), (tip, work, height)),
        }
        let found = chain.find(&chain.tip());
        assert_eq!(found, Some(chain.height()));
    }
    let mut again = HeaderChain::new(chain.rules().clone());
    again.accept(chain.headers()).expect("a chain is valid from its beginning");
    assert_eq!((again.tip(), again.work()), (chain.tip(), chain.work()));
}

fn mine(last: &BlockHeader, input: &mut Input<'_>) -> BlockHeader {
    let mut bytes = [0; 80];
    bytes[4..36].copy_from_slice(last.hash().as_bytes());
    let spread = u32::try_from(input.below(3000)).expect("it is small");
    bytes[68..72].copy_from_slice(&last.time().saturating_add(spread).saturating_sub(600).to_le_bytes());
    let bits = match input.below(4) {
        0 => CompactTarget::from_consensus(0x207f_ffff),
        1 => CompactTarget::from_consensus(0x207f_ffff - u32::try_from(input.below(0x0040_0000)).expect("it is small")),
        _ => last.bits(),
    };
    bytes[72..76].copy_from_slice(&bits.to_consensus().to_le_bytes());
    for nonce in 0..16_u32 {
        bytes[76..].copy_from_slice(&nonce.to_le_bytes());
        if BlockHeader::from_bytes(bytes).has_its_work() {
            break;
        }
    }
    BlockHeader::from_bytes(bytes)
}

/// Chains of regtest, with the first header and without.
fn seeds() -> Vec<Vec<u8>> {
    let mut last = *ChainRules::of(Network::Regtest).genesis();
    let mut bytes = last.as_bytes().to_vec();
    for _ in 0..15 {
        // Bytes of which each header gets the same time and target.
        last = mine(&last, &mut Input(&[0xb0, 4, 0, 0, 0, 0, 0, 0, 2]));
        bytes.extend(last.as_bytes());
    }
    vec![bytes[80..].to_vec(), bytes]
}
