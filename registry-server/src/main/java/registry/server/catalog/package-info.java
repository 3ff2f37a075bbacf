/** Nodes, service instances and checks: what is registered where. */
@NullMarked
package registry.server.catalog;

import org.jspecify.annotations.NullMarked;
