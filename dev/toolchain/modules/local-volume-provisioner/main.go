// Command local-volume-provisioner makes a directory for every PersistentVolumeClaim of its storage class and offers it
// as a `local` volume bound to the node that the scheduler chose.
//
// It serves clusters whose nodes share one file system, as the embedded cluster's do (they are network namespaces of one
// machine), so one instance makes the directories of all nodes. `local` volumes, unlike hostPath ones, honour fsGroup:
// an unprivileged pod can write to its volume. A claim's size is recorded, not enforced.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v10/controller"
)

type provisioner struct {
	root string // directory that holds one sub-directory per volume
}

func (p *provisioner) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNode == nil {
		return refuse("storage class %s must have volumeBindingMode WaitForFirstConsumer: a local volume needs its node",
			options.StorageClass.Name)
	}
	for _, mode := range options.PVC.Spec.AccessModes {
		if mode != v1.ReadWriteOnce && mode != v1.ReadWriteOncePod {
			return refuse("access mode %s: a local volume is of one node, ask for ReadWriteOnce", mode)
		}
	}
	if options.PVC.Spec.Selector != nil {
		return refuse("a claim with a selector can't be provisioned: volumes are made, not chosen")
	}
	hostname, ok := options.SelectedNode.Labels[v1.LabelHostname]
	if !ok {
		return refuse("node %s has no label %s", options.SelectedNode.Name, v1.LabelHostname)
	}

	path := filepath.Join(p.root, options.PVName)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// Not left to MkdirAll, which obeys the umask. Any user of a pod may write here, as on other local provisioners;
	// the parent is closed to everybody but root.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}

	volume := &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: options.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			VolumeMode:                    options.PVC.Spec.VolumeMode,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{hostname},
				}},
			}}}},
		},
	}
	return volume, controller.ProvisioningFinished, nil
}

func (p *provisioner) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	local := volume.Spec.Local
	// The path comes from the API server: nothing outside our own root is ever removed.
	if local == nil || filepath.Clean(local.Path) != filepath.Join(p.root, volume.Name) {
		return &controller.IgnoredError{Reason: fmt.Sprintf("%s is not a volume below %s", volume.Name, p.root)}
	}
	return os.RemoveAll(local.Path)
}

func refuse(format string, values ...any) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	return nil, controller.ProvisioningFinished, fmt.Errorf(format, values...)
}

func run(ctx context.Context, root, name, kubeconfig string) error {
	if !filepath.IsAbs(root) {
		return fmt.Errorf("--root must be an absolute path, got %q", root)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return fmt.Errorf("--root: %w", err)
	}
	// With an empty path this is the configuration of the pod it runs in.
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("no API server to talk to (--kubeconfig): %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	controller.NewProvisionController(klog.FromContext(ctx), client, name, &provisioner{root: filepath.Clean(root)},
		controller.LeaderElection(false), // one instance serves the machine
	).Run(ctx)
	return nil
}

func main() {
	root := flag.String("root", "/var/lib/local-volumes", "directory on the nodes that holds the volumes")
	name := flag.String("provisioner", "lucid.internal/local-volume", "provisioner named by the storage class")
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig; empty: the pod's own service account")
	klog.InitFlags(nil)
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *root, *name, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
