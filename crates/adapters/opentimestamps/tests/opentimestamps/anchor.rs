//! From a digest to a block, as the use cases will do it.

use crate::support::{Peer, calendars, client};
use artdag_anchoring::ots::{DetachedTimestamp, FileHash, Timestamp};
use artdag_anchoring::{BlockHeaders, Calendar, CalendarError, Digest, Verdict};
use artdag_opentimestamps::{BATCH, BitcoinCoreRpc, HeaderFile, sync};
use artdag_testing::PATIENT;
use std::sync::Arc;

const DOCUMENT: &[u8] = b"a picture";

#[tokio::test]
async fn a_stamp_becomes_a_proof_that_the_official_client_accepts() {
    let Some(peer) = Peer::start().await else { return };
    let (uris, digest) = ([peer.uri()], Digest::of(DOCUMENT));
    let asking = calendars(&uris);
    let timestamp = asking.submit(&uris[0], &digest).await.unwrap();
    let (uri, message) = timestamp.pending().map(|(uri, message)| (uri.clone(), message)).next().unwrap();
    assert_eq!(uri, peer.uri());

    let early = asking.upgrade(&uri, &message).await;
    assert!(matches!(early, Err(CalendarError::NotYet(_))), "{early:?}");
    peer.control("mine/6").await;
    let answer = asking.upgrade(&uri, &message).await.unwrap();
    let timestamp = Timestamp::joined(digest.as_bytes(), [&timestamp, &answer]).unwrap();

    let (folder, rules) = (tempfile::tempdir().unwrap(), peer.rules().await);
    let file = Arc::new(HeaderFile::open(folder.path().join("headers"), rules.clone()).unwrap());
    let node = BitcoinCoreRpc::new(client(), peer.node()).with_timeout(PATIENT);
    sync(&file, &node, BATCH, &mut |_| {}).await.unwrap();
    let (height, root) = timestamp.bitcoin().next().unwrap();
    assert_eq!(height, 10, "the first that was mined after the start");

    let sources: [(&dyn BlockHeaders, &str); 3] =
        [(&*file, "pow-chain"), (&node, "node"), (&peer.esplora(), "explorers 1/1")];
    for (source, assurance) in sources {
        let verdict = Verdict::by_source(source, &rules, height, &root).await.unwrap();
        let Verdict::Verified(evidence) = verdict else { panic!("{verdict:?}") };
        assert_eq!(evidence.assurance.to_string(), assurance);
        assert_eq!((evidence.confirmations, evidence.is_final()), (Some(6), true));
        assert_eq!(evidence.block_hash, peer.header(height).await.hash());
        assert!(matches!(Verdict::by_source(source, &rules, height, &[1; 32]).await, Ok(Verdict::False(_))));
        assert!(matches!(Verdict::by_source(source, &rules, 16, &root).await, Ok(Verdict::Unknown(_))));
    }

    let proof = DetachedTimestamp::new(FileHash::sha256(digest), timestamp).unwrap();
    let document = folder.path().join("picture.jpeg");
    std::fs::write(&document, DOCUMENT).unwrap();
    std::fs::write(folder.path().join("picture.jpeg.ots"), proof.to_bytes().unwrap()).unwrap();
    let said = peer.official_client(&document).unwrap();
    assert!(said.contains("Success! Bitcoin block 10 attests existence"), "{said}");
    std::fs::write(&document, b"another picture").unwrap();
    peer.official_client(&document).unwrap_err();

    // The block is no longer part of the chain.
    peer.control("reorg/8").await;
    let synced = sync(&file, &node, BATCH, &mut |_| {}).await.unwrap();
    assert_eq!((synced.height, synced.reorg), (16, Some(7)));
    assert!(matches!(Verdict::by_source(&*file, &rules, height, &root).await, Ok(Verdict::False(_))));
}
