/** How agents ask servers: typed methods for writes, questions that may block for reads. */
@NullMarked
package registry.server.rpc;

import org.jspecify.annotations.NullMarked;
