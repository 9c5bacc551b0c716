// Verifies with the Go project's own implementation (golang.org/x/mod/sumdb) what Vigo signed and
// proved: a checkpoint, an inclusion proof and a consistency proof, given as JSON on standard input.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string   `json:"key"`
	Older       string   `json:"older"`
	Newer       string   `json:"newer"`
	Index       int64    `json:"index"`
	Entry       string   `json:"entry"`
	Inclusion   []string `json:"inclusion"`
	Consistency []string `json:"consistency"`
}

func fail(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func hashOf(text string) tlog.Hash {
	var hash tlog.Hash
	bytes, err := base64.StdEncoding.DecodeString(text)
	fail(err)
	copy(hash[:], bytes)
	return hash
}

func hashesOf(texts []string) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, len(texts))
	for _, text := range texts {
		hashes = append(hashes, hashOf(text))
	}
	return hashes
}

func open(message string, verifiers note.Verifiers) (int64, tlog.Hash) {
	signed, err := note.Open([]byte(message), verifiers)
	fail(err)
	if len(signed.Sigs) != 1 {
		fail(fmt.Errorf("%d verified signatures", len(signed.Sigs)))
	}
	lines := strings.Split(signed.Text, "\n")
	var size int64
	_, err = fmt.Sscanf(lines[1], "%d", &size)
	fail(err)
	return size, hashOf(lines[2])
}

func main() {
	var given input
	fail(json.NewDecoder(os.Stdin).Decode(&given))
	verifier, err := note.NewVerifier(given.Key)
	fail(err)
	verifiers := note.VerifierList(verifier)
	olderSize, olderRoot := open(given.Older, verifiers)
	newerSize, newerRoot := open(given.Newer, verifiers)
	leaf := tlog.RecordHash([]byte(given.Entry))
	fail(tlog.CheckRecord(hashesOf(given.Inclusion), newerSize, newerRoot, given.Index, leaf))
	fail(tlog.CheckTree(hashesOf(given.Consistency), newerSize, newerRoot, olderSize, olderRoot))
	fmt.Println("verified")
}
