/** The one RocksDB of a node. */
@NullMarked
package registry.server.storage;

import org.jspecify.annotations.NullMarked;
