/** Servers of one cluster in one process, whose network and disks fail. */
package registry.server.faults;
