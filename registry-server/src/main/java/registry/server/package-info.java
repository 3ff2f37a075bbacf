/** Wires and owns a server: what is replicated among the nodes that agree on the catalogue. */
@NullMarked
package registry.server;

import org.jspecify.annotations.NullMarked;
