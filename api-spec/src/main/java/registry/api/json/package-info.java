/** How the records of the contract become JSON and come back. */
@NullMarked
package registry.api.json;

import org.jspecify.annotations.NullMarked;
