/** Transactions: steps over keys, nodes, instances and checks, all or none. */
@NullMarked
package registry.server.txn;

import org.jspecify.annotations.NullMarked;
