// Command netpol-analyzer lists, for each directory named on its command line, what the Kubernetes manifests in it let connect to
// what, as np-guard's netpol-analyzer computes it: one JSON document a line, in the order of the arguments. The analyzer's own
// command takes one directory a process; this one takes hundreds, so that comparing with it costs seconds.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/np-guard/netpol-analyzer/pkg/netpol/connlist"
)

// connection is what one peer may open to another. A peer is `<namespace>/<name>[<kind>]`, or a range of IPv4 addresses.
type connection struct {
	Source      string                `json:"source"`
	Destination string                `json:"destination"`
	Everything  bool                  `json:"everything"` // every port of every protocol
	Ports       map[string][][2]int64 `json:"ports"`      // protocol to the first and last port of each range
}

type result struct {
	Directory   string       `json:"directory"`
	Peers       []string     `json:"peers"`
	Connections []connection `json:"connections"`
	Problems    []string     `json:"problems"`
}

func analyze(directory string) result {
	found := result{Directory: directory, Peers: []string{}, Connections: []connection{}, Problems: []string{}}
	analyzer := connlist.NewConnlistAnalyzer(connlist.WithMuteErrsAndWarns())
	connections, peers, err := analyzer.ConnlistFromDirPath(directory)
	if err != nil {
		found.Problems = append(found.Problems, err.Error())
	}
	for _, problem := range analyzer.Errors() {
		found.Problems = append(found.Problems, problem.Error().Error())
	}
	for _, peer := range peers {
		found.Peers = append(found.Peers, peer.String())
	}
	for _, allowed := range connections {
		ports := map[string][][2]int64{}
		for protocol, ranges := range allowed.ProtocolsAndPorts() {
			for _, portRange := range ranges {
				ports[string(protocol)] = append(ports[string(protocol)], [2]int64{portRange.Start(), portRange.End()})
			}
		}
		found.Connections = append(found.Connections, connection{
			Source:      allowed.Src().String(),
			Destination: allowed.Dst().String(),
			Everything:  allowed.AllProtocolsAndPorts(),
			Ports:       ports,
		})
	}
	return found
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: netpol-analyzer directory...")
		os.Exit(2)
	}
	encoder := json.NewEncoder(os.Stdout)
	for _, directory := range os.Args[1:] {
		if err := encoder.Encode(analyze(directory)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
