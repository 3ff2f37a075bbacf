/** The key-value store. */
@NullMarked
package registry.server.kv;

import org.jspecify.annotations.NullMarked;
