//! `cargo run -p artdag-anchoring --example verify -- FILE FILE.ots HEADERS`
//!
//! Judges a proof by headers: either one of 80 bytes in hex, or a file of mainnet's from the genesis block on.
#![expect(clippy::print_stdout, reason = "it talks to the person at the terminal")]

use std::error::Error;
use std::fs;

use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, HeaderChain, Network};
use artdag_anchoring::ots::DetachedTimestamp;
use artdag_anchoring::{Assurance, ShownBlock, Verdict};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, ots, headers] = arguments.as_slice() else { return Err("usage: verify FILE FILE.ots HEADERS".into()) };
    let proof = DetachedTimestamp::parse(&fs::read(ots)?)?;
    if !proof.file_hash().matches(&fs::read(file)?) {
        return Err("the proof is for another file".into());
    }
    println!("{ots}: canonical: {}", proof.to_bytes()? == fs::read(ots)?);
    let bytes = fs::read(headers)?;
    let one: Option<BlockHeader> = str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    let mut chain = HeaderChain::new(ChainRules::of(Network::Mainnet));
    if one.is_none() {
        let change = chain.accept(&BlockHeader::parse_all(&bytes)?)?;
        println!("{headers}: {} headers, work {}", change.added, chain.work());
    }
    for (uri, message) in proof.timestamp().pending() {
        println!("pending: {uri} about {}", hex::encode(message));
    }
    for (height, message) in proof.timestamp().bitcoin() {
        let verdict = match &one {
            Some(header) => {
                let (assurance, header) = (Assurance::SuppliedHeader, *header);
                let shown = ShownBlock { assurance, height, header, confirmations: None, source: headers };
                Verdict::by_header(chain.rules(), shown, &message)
            }
            None => Verdict::by_chain(&chain, height, &message, headers),
        };
        match verdict {
            Verdict::Verified(evidence) => println!(
                "verified: in block {height} ({}), so it existed by {} ({})",
                evidence.block_hash,
                evidence.existed_by(),
                evidence.assurance
            ),
            Verdict::False(error) => println!("false: block {height}: {error}"),
            Verdict::Unknown(reason) => println!("unknown: block {height}: {reason:?}"),
        }
    }
    Ok(())
}
