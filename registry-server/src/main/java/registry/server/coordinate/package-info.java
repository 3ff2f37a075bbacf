/** Network coordinates: where nodes are, and what is near them. */
@NullMarked
package registry.server.coordinate;

import org.jspecify.annotations.NullMarked;
