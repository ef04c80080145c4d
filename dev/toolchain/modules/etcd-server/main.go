// Command etcd-server holds etcd and etcdctl in one binary and runs the one it is called by: under the name etcdctl it is
// the client, under any other the server.
//
// One binary instead of two keeps the build and the image small: both are mostly the same code.
package main

import (
	"os"
	"path/filepath"

	"go.etcd.io/etcd/etcdctl/v3/ctlv3"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	if filepath.Base(os.Args[0]) == "etcdctl" {
		ctlv3.MustStart()
		return
	}
	etcdmain.Main(os.Args)
}
