// Checks the log of a running server with Go's own code for transparency logs.
//
// Usage: GO111MODULE=off GOPATH=<one that has golang.org/x/mod> go run check_log.go http://localhost:8200 [OLD_SIZE..]
//
// The checkpoint's signature, every tile, and for every activity its bytes, a proof made here from the tiles, and the
// proofs that the server makes. For each of the old sizes the consistency proof. Says OK, or what is wrong.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: check_log URL [OLD_SIZE..]")
		os.Exit(2)
	}
	if err := check(log(os.Args[1]), os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A log by the address of its server.
type log string

func check(l log, oldSizes []string) error {
	tree, err := l.checkpoint()
	if err != nil {
		return fmt.Errorf("the checkpoint: %w", err)
	}
	// Reads tiles, and refuses those that do not belong to this tree.
	hashes := tlog.TileHashReader(tree, tiles{l})
	for index := int64(0); index < tree.N; index++ {
		if err := l.checkActivity(tree, hashes, index); err != nil {
			return fmt.Errorf("activity %d: %w", index, err)
		}
	}
	for _, text := range oldSizes {
		old, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		if err := l.checkConsistency(tree, hashes, old); err != nil {
			return fmt.Errorf("from %d to %d: %w", old, tree.N, err)
		}
	}
	fmt.Printf("OK %d activities, %d older trees\n", tree.N, len(oldSizes))
	return nil
}

func (l log) checkpoint() (tlog.Tree, error) {
	var tree tlog.Tree
	key, err := l.get("/log/key")
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return tree, err
	}
	signed, err := l.get("/log/checkpoint")
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("the text is not one of %s: %q", verifier.Name(), opened.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func (l log) checkActivity(tree tlog.Tree, hashes tlog.HashReader, index int64) error {
	canonical, err := l.get(fmt.Sprintf("/activities/%d/canonical.json", index))
	if err != nil {
		return err
	}
	entry := sha256.Sum256(canonical)
	leaf := tlog.RecordHash(entry[:])
	made, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return err
	}
	served := []tlog.RecordProof{made}
	for _, path := range []string{"/log/proof?index=%d&size=%d", "/activities/%d/proof.json"} {
		arguments := []interface{}{index, tree.N}[:strings.Count(path, "%d")]
		var body struct {
			InclusionProof []string `json:"inclusion_proof"`
		}
		if err := l.getJSON(fmt.Sprintf(path, arguments...), &body); err != nil {
			return err
		}
		proof, err := parseHashes(body.InclusionProof)
		if err != nil {
			return err
		}
		served = append(served, proof)
	}
	for _, proof := range served {
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
			return err
		}
		// What checks everything checks nothing.
		if tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(canonical)) == nil {
			return fmt.Errorf("a proof holds for another entry")
		}
	}
	return nil
}

func (l log) checkConsistency(tree tlog.Tree, hashes tlog.HashReader, old int64) error {
	oldRoot, err := tlog.TreeHash(old, hashes)
	if err != nil {
		return err
	}
	var body struct {
		ConsistencyProof []string `json:"consistency_proof"`
		FromRoot         string   `json:"from_root"`
	}
	if err := l.getJSON(fmt.Sprintf("/log/consistency?from=%d&to=%d", old, tree.N), &body); err != nil {
		return err
	}
	if body.FromRoot != oldRoot.String() {
		return fmt.Errorf("the server says that the older root was %s, the tiles say %s", body.FromRoot, oldRoot)
	}
	proof, err := parseHashes(body.ConsistencyProof)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, oldRoot); err != nil {
		return err
	}
	if tlog.CheckTree(proof, tree.N, tree.Hash, old, tlog.RecordHash(nil)) == nil {
		return fmt.Errorf("a proof holds for another root")
	}
	return nil
}

func parseHashes(texts []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, text := range texts {
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(bytes) != tlog.HashSize {
			return nil, fmt.Errorf("%q is not a hash", text)
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func (l log) getJSON(path string, body interface{}) error {
	text, err := l.get(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, body)
}

func (l log) get(path string) ([]byte, error) {
	response, err := http.Get(string(l) + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, response.Status, body)
	}
	return body, err
}

// How tlog reads the tiles of a log.
type tiles struct{ log log }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		// Behind `tile/8/` both spell them alike.
		bytes, err := t.log.get("/log/tile/" + strings.TrimPrefix(tile.Path(), "tile/8/"))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
