package db

import (
	"fmt"
	"syscall"
)

// networkDisks are the file systems that other machines may write to at the same time, by the number that statfs(2)
// gives them. What they say of a lock or a sync is not what happens at the other end.
var networkDisks = map[uint32]string{
	0x00006969: "NFS",
	0x0000517b: "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x5346414f: "AFS",
	0x73757245: "Coda",
	0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre",
	0x01161970: "GFS2",
	0x7461636f: "OCFS2",
}

// checkDisk refuses a folder on a network's disk.
func checkDisk(folder string) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return fmt.Errorf("db: look at the disk of %s: %w", folder, err)
	}
	return refuseDisk(folder, uint32(disk.Type))
}

func refuseDisk(folder string, kind uint32) error {
	if name, ok := networkDisks[kind]; ok {
		return fmt.Errorf("db: %s is on a network disk (%s), where an acknowledged payment could be lost: "+
			"choose a folder on a disk of this machine, or PostgreSQL", folder, name)
	}
	return nil
}
