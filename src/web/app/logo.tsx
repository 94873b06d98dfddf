/** The network as its paper draws it: two towers that shrink, and meet. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="ground" width="32" height="32" rx="7" />
      <g class="towers">
        <rect x="5" y="7" width="3" height="8" rx="1" />
        <rect x="10" y="8.5" width="3" height="6.5" rx="1" />
        <rect x="15" y="10" width="3" height="5" rx="1" />
        <rect x="5" y="17" width="3" height="8" rx="1" />
        <rect x="10" y="17" width="3" height="6.5" rx="1" />
        <rect x="15" y="17" width="3" height="5" rx="1" />
        <rect x="20" y="10" width="2.5" height="12" rx="1" />
        <rect x="24.5" y="12.5" width="2.5" height="7" rx="1" />
      </g>
    </svg>
  );
}
