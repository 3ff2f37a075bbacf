/** The state as a value: immutable tables, indexes and watches. */
@NullMarked
package registry.server.state;

import org.jspecify.annotations.NullMarked;
