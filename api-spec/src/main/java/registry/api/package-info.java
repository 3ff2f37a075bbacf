/** The contract of the HTTP API: its records, as Consul documents them. */
@NullMarked
package registry.api;

import org.jspecify.annotations.NullMarked;
